"""People from a school's roster: each row judged by itself, a repeated import changes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.identity import contract, queries, schemas
from services.identity.actions.accounts import new_account, registered_payload
from services.identity.actions.profiles import (
    announce_changed,
    beijing_day,
    checked_changes,
    fill_profile,
    id_no_word,
    open_profile,
)
from services.identity.actions.refusals import checked_phone
from services.identity.models import Account, Profile
from services.identity.person.actions.learner_numbers import issue
from services.identity.rules.profile import EMPTY, Identity
from services.identity.vault import Vault
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.errors import Conflict, InvalidInput, ServiceError


@dataclasses.dataclass(frozen=True)
class RosterRow:
    """A row whose form is right."""

    phone: str
    values: dict[str, str]

    @property
    def number(self) -> tuple[str, str]:
        return self.values["id_type"], self.values["id_no"]


@dataclasses.dataclass(frozen=True)
class NewPerson:
    account: Account
    profile: Profile
    values: dict[str, str]


@dataclasses.dataclass
class Directory:
    """Who is known of all that a roster names, and who has been added from its earlier rows."""

    owner_of_phone: dict[str, uuid.UUID]
    owner_of_number: dict[tuple[str, str], uuid.UUID]
    names: dict[uuid.UUID, str]
    added: dict[uuid.UUID, NewPerson] = dataclasses.field(default_factory=dict)

    def find(self, wanted: RosterRow) -> uuid.UUID | None:
        """The account of the row's person, None for somebody new. Raises Conflict when the row contradicts it."""
        owner, by_phone = self.owner_of_number.get(wanted.number), self.owner_of_phone.get(wanted.phone)
        if owner is None:
            if by_phone is not None:
                raise Conflict("identity.import_phone_belongs", "phone")
            return None
        if self.names[owner] != wanted.values["name"]:
            raise Conflict("identity.import_name_differs", "name")
        if by_phone != owner:
            # Never overwritten: whoever could set another's phone could sign in as them.
            raise Conflict("identity.import_phone_differs", "phone")
        return owner

    def add(self, person: NewPerson, wanted: RosterRow) -> None:
        account_id = person.account.id
        self.added[account_id] = person
        self.owner_of_phone[wanted.phone] = self.owner_of_number[wanted.number] = account_id
        self.names[account_id] = wanted.values["name"]


def import_people(db: Session, call: Call, vault: Vault, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make an account for each new person; returns one outcome per row, in order.

    CREATED, UNCHANGED (this person is known under the same name and phone) or REFUSED with code and field. They have no
    password: they sign in by SMS code.
    """
    today = beijing_day(call.now)
    schema = schemas.ImportRow()  # once: to make one costs more than to use it
    judged = [_judged_row(schema, row, today) for row in rows]
    wanted = [each for each in judged if isinstance(each, RosterRow)]
    # Whoever claims one of these numbers at this moment waits until we have committed, and then sees us.
    queries.lock_words(db, *(id_no_word(vault.id_no_candidates(*each.number)) for each in wanted))
    directory = _load_directory(db, vault, wanted)
    outcomes = [_outcome(call, vault, directory, row, each) for row, each in zip(rows, judged, strict=True)]
    lost = _save(db, call, directory.added.values())
    _number_the_known(db, outcomes)
    return [
        _refusal(each["row"], lost[each["account_id"]]) if each["account_id"] in lost else each for each in outcomes
    ]


def _judged_row(schema: schemas.ImportRow, row: dict[str, Any], today: dt.date) -> RosterRow | ServiceError:
    try:
        loaded = schema.load(row)
        values = {field: loaded[field] for field in ("name", "id_type", "id_no", "segment", "subject")}
        return RosterRow(checked_phone(loaded["phone"]), {**EMPTY, **checked_changes(EMPTY, values, today)})
    except ValidationError as error:
        return InvalidInput("shared.invalid", *first_fault(error.messages))
    except ServiceError as error:
        return error


def _load_directory(db: Session, vault: Vault, wanted: Sequence[RosterRow]) -> Directory:
    phones = {index: each.phone for each in wanted for index in vault.phone_candidates(each.phone)}
    numbers = {index: each.number for each in wanted for index in vault.id_no_candidates(*each.number)}
    owners = queries.list_id_owners(db, numbers)
    return Directory(
        {phones[str(account.phone_index)]: account.id for account in queries.list_accounts_by_phone(db, phones)},
        {numbers[str(profile.id_no_index)]: profile.account_id for profile in owners},
        {profile.account_id: open_profile(vault, profile)["name"] for profile in owners},
    )


def _outcome(
    call: Call, vault: Vault, directory: Directory, row: dict[str, Any], judged: RosterRow | ServiceError
) -> dict[str, Any]:
    number = _row_number(row)
    if isinstance(judged, ServiceError):
        return _refusal(number, judged)
    try:
        known = directory.find(judged)
    except Conflict as error:
        return _refusal(number, error)
    if known is None:
        person = _new_person(call, vault, judged)
        directory.add(person, judged)
        return _accepted(number, "CREATED", person.account.id)
    return _accepted(number, "UNCHANGED", known)


def _new_person(call: Call, vault: Vault, wanted: RosterRow) -> NewPerson:
    account = new_account(vault, wanted.phone, Identity.TEACHER, "IMPORT", call.now)
    account.version = 2  # registered, and the profile filled in
    profile = Profile(account_id=account.id, announced_version=account.version)
    fill_profile(vault, profile, wanted.values, call.now)
    return NewPerson(account, profile, wanted.values)


def _save(db: Session, call: Call, people: Iterable[NewPerson]) -> dict[uuid.UUID, ServiceError]:
    """Insert the new people; returns those whom somebody else's registration at this very moment has made impossible."""
    people = list(people)
    lost: dict[uuid.UUID, ServiceError] = {}
    if not _inserted(db, people):
        taken = Conflict("identity.import_phone_belongs", "phone")
        lost = {each.account.id: taken for each in people if not _inserted(db, [each])}
    saved = [each for each in people if each.account.id not in lost]
    registered = [(each.account.id, registered_payload(each.account)) for each in saved]
    outbox.announce_many(db, contract.ACCOUNT_REGISTERED, registered)
    issue(db, [each.account for each in saved])
    announce_changed(db, [(each.account, each.profile, each.values) for each in saved])
    audit.record_many(db, call, [audit.Act(each.account.id, after={"origin": "IMPORT"}) for each in saved])
    return lost


def _number_the_known(db: Session, outcomes: Sequence[dict[str, Any]]) -> None:
    """People who registered themselves get their learner number when a roster names them [S3:75]."""
    known = {each["account_id"] for each in outcomes if each["outcome"] == "UNCHANGED"}
    issue(db, queries.lock_accounts(db, known))


def _inserted(db: Session, people: Sequence[NewPerson]) -> bool:
    try:
        # A savepoint: what one person makes impossible must not take the others with it.
        with db.begin_nested():
            db.add_all(each.account for each in people)
            db.flush()
            db.add_all(each.profile for each in people)
    except IntegrityError:
        return False
    return True


def _accepted(number: int | None, outcome: str, account_id: uuid.UUID) -> dict[str, Any]:
    return {"row": number, "outcome": outcome, "code": "", "field": "", "account_id": account_id}


def _refusal(number: int | None, error: ServiceError) -> dict[str, Any]:
    # The name of an unknown column is the sender's text, and the reply is stored as JSONB, which takes no NUL.
    tellable = error.field.isascii() and error.field.replace(".", "_").isidentifier()
    field = error.field if tellable else ""
    return {"row": number, "outcome": "REFUSED", "code": error.code, "field": field, "account_id": None}


def _row_number(row: dict[str, Any]) -> int | None:
    number = row.get("row")
    return number if type(number) is int and number in schemas.ROW_NUMBERS else None
