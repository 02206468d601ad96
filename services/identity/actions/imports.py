"""People from a school's roster: each row judged by itself, a repeated import changes nothing.

Nothing here is done row by row in the database: a chunk takes the same few statements whatever its size.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.identity import contract, queries, schemas
from services.identity.actions.accounts import told_registered
from services.identity.actions.profiles import beijing_day, id_no_word, told_profile
from services.identity.person.actions.learner_numbers import draw, issue, told_number
from services.identity.rules.profile import Identity
from services.identity.rules.roster import FormFault, RosterPerson, read_person
from services.identity.vault import Vault
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.database import violated_constraint
from services.shared.errors import Conflict, InvalidInput, ServiceError
from services.shared.ids import new_id_text
from services.shared.many_rows import insert_into, run_many

TEACHER = Identity.TEACHER.value
VERSION = 2  # of a new account: registered, and its profile filled in
_INSERT_ACCOUNTS = insert_into(
    "account",
    "id uuid, phone_sealed text, phone_index text, learner_no text",
    same="identities text[], active_identity text, registered_as text, origin text, registered_at timestamptz,"
    " version integer",
)
_INSERT_PROFILES = insert_into(
    "profile",
    "account_id uuid, name_sealed text, name_index text, id_type text, id_no_sealed text, id_no_index text,"
    " birth_date_sealed text, gender text, segment text, subject text",
    same="changed_at timestamptz, announced_version integer",
)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The person of a row whose form is right, and what rows of the register may hold of phone and number."""

    person: RosterPerson
    phone_candidates: list[str]
    id_no_candidates: list[str]


@dataclasses.dataclass(frozen=True)
class NewPerson:
    account_id: str
    wanted: Wanted


@dataclasses.dataclass
class Directory:
    """Who is known of all that a roster names, and who has been added from its earlier rows."""

    owner_of_phone: dict[str, str]
    owner_of_number: dict[str, str]
    names: dict[str, str]
    unnumbered: set[str]  # who registered themselves, and have no learner number yet
    added: dict[str, NewPerson] = dataclasses.field(default_factory=dict)

    def find(self, wanted: Wanted) -> str | None:
        """The account of the row's person, None for somebody new. Raises Conflict when the row contradicts it."""
        owner = _first(self.owner_of_number, wanted.id_no_candidates)
        by_phone = _first(self.owner_of_phone, wanted.phone_candidates)
        if owner is None:
            if by_phone is not None:
                raise Conflict("identity.import_phone_belongs", "phone")
            return None
        if self.names[owner] != wanted.person.name:
            raise Conflict("identity.import_name_differs", "name")
        if by_phone != owner:
            # Never overwritten: whoever could set another's phone could sign in as them.
            raise Conflict("identity.import_phone_differs", "phone")
        return owner

    def add(self, wanted: Wanted) -> str:
        account_id = new_id_text()
        self.added[account_id] = NewPerson(account_id, wanted)
        self.owner_of_phone[wanted.phone_candidates[0]] = account_id
        self.owner_of_number[wanted.id_no_candidates[0]] = account_id
        self.names[account_id] = wanted.person.name
        return account_id


class Candour:
    """How much the sender of a roster is told of rows that contradict the register: here everything, without end."""

    exhausted: ServiceError | None = None  # once set, it is the answer to every further row

    def tell(self, contradiction: Conflict) -> ServiceError:
        return contradiction


Judged = Wanted | ServiceError


def import_people(
    db: Session,
    call: Call,
    vault: Vault,
    rows: Sequence[dict[str, Any]],
    candour: Candour | None = None,
) -> list[dict[str, Any]]:
    """Make an account for each new person; returns one outcome per row, in order.

    CREATED, UNCHANGED (this person is known under the same name and phone) or REFUSED with code and field, where
    `candour` may say less. New people have no password: they sign in by SMS code.
    """
    candour = candour or Candour()
    judged = judge_rows(vault, rows, beijing_day(call.now))
    wanted = [each for each in judged if isinstance(each, Wanted)]
    # Whoever claims one of these numbers at this moment waits until we have committed, and then sees us.
    queries.lock_words(db, *(id_no_word(each.id_no_candidates) for each in wanted))
    directory = load_directory(db, vault, wanted)
    outcomes = [_outcome(directory, row, each, candour) for row, each in zip(rows, judged, strict=True)]
    lost = _save(db, call, vault, list(directory.added.values()))
    _number_the_known(db, directory, outcomes)
    taken = Conflict("identity.import_phone_belongs", "phone")
    return [_refusal(each["row"], candour.tell(taken)) if each["account_id"] in lost else each for each in outcomes]


def find_known(db: Session, vault: Vault, rows: Sequence[dict[str, Any]], today: dt.date) -> dict[int, str]:
    """The accounts of those rows whose person is known by name, number and phone alike, by row number."""
    judged = zip(rows, judge_rows(vault, rows, today), strict=True)
    wanted = {row["row"]: each for row, each in judged if isinstance(each, Wanted)}
    directory = load_directory(db, vault, list(wanted.values()))
    found = {}
    for number, each in wanted.items():
        try:
            known = directory.find(each)
        except Conflict:
            continue
        if known is not None:
            found[number] = known
    return found


def judge_rows(vault: Vault, rows: Sequence[dict[str, Any]], today: dt.date) -> list[Judged]:
    return [_judged_row(vault, row, today) for row in rows]


def _judged_row(vault: Vault, row: dict[str, Any], today: dt.date) -> Judged:
    try:
        person = read_person(schemas.load_import_row(row), today)
    except ValidationError as error:
        return InvalidInput("shared.invalid", *first_fault(error.messages))
    if isinstance(person, FormFault):
        return InvalidInput(person.code, person.field)
    return Wanted(person, vault.phone_candidates(person.phone), vault.id_no_candidates(person.id_type, person.id_no))


def load_directory(db: Session, vault: Vault, wanted: Collection[Wanted]) -> Directory:
    by_phone = queries.list_phone_owners(db, (index for each in wanted for index in each.phone_candidates))
    by_number = queries.list_id_owners(db, (index for each in wanted for index in each.id_no_candidates))
    return Directory(
        {row.phone_index: str(row.id) for row in by_phone},
        {row.id_no_index: str(row.account_id) for row in by_number},
        {str(row.account_id): vault.open("profile", row.account_id, "name", row.name_sealed) for row in by_number},
        {str(row.id) for row in by_phone if row.unnumbered},
    )


def _first(owners: dict[str, str], candidates: Sequence[str]) -> str | None:
    return next((owners[index] for index in candidates if index in owners), None)


def _outcome(directory: Directory, row: dict[str, Any], judged: Judged, candour: Candour) -> dict[str, Any]:
    number = _row_number(row)
    if isinstance(judged, ServiceError):
        return _refusal(number, judged)
    if candour.exhausted:
        return _refusal(number, candour.exhausted)
    try:
        known = directory.find(judged)
    except Conflict as error:
        return _refusal(number, candour.tell(error))
    if known is None:
        return _accepted(number, "CREATED", directory.add(judged))
    return _accepted(number, "UNCHANGED", known)


def _save(db: Session, call: Call, vault: Vault, people: Sequence[NewPerson]) -> set[str]:
    """Insert the new people; returns those whom somebody else's registration at this very moment has made impossible."""
    if not people:
        return set()
    numbers = dict(zip((each.account_id for each in people), draw(db, len(people)), strict=True))
    lost: set[str] = set()
    if not _inserted(db, call, vault, people, numbers):
        lost = {each.account_id for each in people if not _inserted(db, call, vault, [each], numbers)}
    saved = [each for each in people if each.account_id not in lost]
    registered = [(each.account_id, told_registered(each.account_id, TEACHER)) for each in saved]
    outbox.announce_many(db, contract.ACCOUNT_REGISTERED, registered)
    issued = [(each.account_id, told_number(each.account_id, numbers[each.account_id])) for each in saved]
    outbox.announce_many(db, contract.person.LEARNER_NO_ISSUED, issued)
    filled = [(each.account_id, told_profile(each.account_id, VERSION, vars(each.wanted.person))) for each in saved]
    outbox.announce_many(db, contract.PROFILE_CHANGED, filled)
    audit.record_many(db, call, [audit.Act(each.account_id, after={"origin": "IMPORT"}) for each in saved])
    return lost


def _inserted(db: Session, call: Call, vault: Vault, people: Sequence[NewPerson], numbers: dict[str, str]) -> bool:
    now = call.now.isoformat()
    try:
        # A savepoint: what one person makes impossible must not take the others with it.
        with db.begin_nested():
            run_many(
                db,
                _INSERT_ACCOUNTS,
                [_account_row(vault, each, numbers[each.account_id]) for each in people],
                identities=[TEACHER],
                active_identity=TEACHER,
                registered_as=TEACHER,
                origin="IMPORT",
                registered_at=now,
                version=VERSION,
            )
            rows = [_profile_row(vault, each) for each in people]
            run_many(db, _INSERT_PROFILES, rows, changed_at=now, announced_version=VERSION)
    except IntegrityError as error:
        if violated_constraint(error) == "account_learner_no_key":
            raise  # two drew one number at the same moment: the whole command is tried again
        return False
    return True


def _account_row(vault: Vault, new: NewPerson, learner_no: str) -> dict[str, Any]:
    return {
        "id": new.account_id,
        "phone_sealed": vault.seal("account", new.account_id, "phone", new.wanted.person.phone),
        "phone_index": new.wanted.phone_candidates[0],
        "learner_no": learner_no,
    }


def _profile_row(vault: Vault, new: NewPerson) -> dict[str, Any]:
    account_id, person = new.account_id, new.wanted.person

    def sealed(field: str, text: str) -> str | None:
        return vault.seal("profile", account_id, field, text) if text else None

    return {
        "account_id": account_id,
        "name_sealed": sealed("name", person.name),
        "name_index": vault.name_index(person.name),
        "id_type": person.id_type,
        "id_no_sealed": sealed("id_no", person.id_no),
        "id_no_index": new.wanted.id_no_candidates[0],
        "birth_date_sealed": sealed("birth_date", person.birth_date),
        "gender": person.gender,
        "segment": person.segment,
        "subject": person.subject,
    }


def _number_the_known(db: Session, directory: Directory, outcomes: Sequence[dict[str, Any]]) -> None:
    """People who registered themselves get their learner number when a roster names them [S3:75]."""
    named = {each["account_id"] for each in outcomes if each["outcome"] == "UNCHANGED"} & directory.unnumbered
    if named:
        issue(db, queries.lock_accounts(db, [uuid.UUID(each) for each in named]))


def _accepted(number: int | None, outcome: str, account_id: str) -> dict[str, Any]:
    return {"row": number, "outcome": outcome, "code": "", "field": "", "account_id": account_id}


def _refusal(number: int | None, error: ServiceError) -> dict[str, Any]:
    # The name of an unknown column is the sender's text, and the reply is stored as JSONB, which takes no NUL.
    tellable = error.field.isascii() and error.field.replace(".", "_").isidentifier()
    field = error.field if tellable else ""
    return {"row": number, "outcome": "REFUSED", "code": error.code, "field": field, "account_id": None}


def _row_number(row: dict[str, Any]) -> int | None:
    number = row.get("row")
    return number if type(number) is int and number in schemas.ROW_NUMBERS else None
