"""People from a school's roster: each row judged by itself, a repeated import changes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.identity import queries, schemas
from services.identity.actions.accounts import announce_registered, new_account
from services.identity.actions.profiles import (
    announce_changed,
    beijing_day,
    checked_changes,
    fill_profile,
    id_no_word,
    open_profile,
)
from services.identity.actions.refusals import checked_phone
from services.identity.models import Profile
from services.identity.rules.profile import Identity
from services.identity.vault import Vault
from services.shared import audit
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.errors import Conflict, InvalidInput, ServiceError

EMPTY = {"name": "", "id_type": "", "id_no": "", "gender": "0", "segment": "", "subject": ""}


@dataclasses.dataclass(frozen=True)
class RosterRow:
    """A row whose form is right."""

    phone: str
    values: dict[str, str]


def import_people(db: Session, call: Call, vault: Vault, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make an account for each new person; returns one outcome per row, in order.

    CREATED, UNCHANGED (this person is known under the same name and phone) or REFUSED with code and field. They have no
    password: they sign in by SMS code.
    """
    today = beijing_day(call.now)
    judged = [_judged_row(row, today) for row in rows]
    # In one order for everybody: two rosters that share people must not wait for each other crosswise.
    wanted = sorted(_lock_word(vault, each) for each in judged if isinstance(each, RosterRow))
    queries.lock_words(db, *wanted)
    return [_outcome(db, call, vault, row, each) for row, each in zip(rows, judged, strict=True)]


def _outcome(
    db: Session, call: Call, vault: Vault, row: dict[str, Any], judged: RosterRow | ServiceError
) -> dict[str, Any]:
    outcome = {"row": _row_number(row), "outcome": "REFUSED", "code": "", "field": "", "account_id": None}
    try:
        if isinstance(judged, ServiceError):
            raise judged
        account_id, created = _find_or_create(db, call, vault, judged)
    except ServiceError as error:
        return {**outcome, "code": error.code, "field": _tellable(error.field)}
    return {**outcome, "outcome": "CREATED" if created else "UNCHANGED", "account_id": account_id}


def _judged_row(row: dict[str, Any], today: dt.date) -> RosterRow | ServiceError:
    try:
        return _checked_row(row, today)
    except ServiceError as error:
        return error


def _lock_word(vault: Vault, wanted: RosterRow) -> str:
    return id_no_word(vault.id_no_candidates(wanted.values["id_type"], wanted.values["id_no"]))


def _checked_row(row: dict[str, Any], today: dt.date) -> RosterRow:
    """Raises InvalidInput with the column at fault."""
    try:
        loaded = schemas.ImportRow().load(row)
    except ValidationError as error:
        field, message = first_fault(error.messages)
        raise InvalidInput("shared.invalid", field, message) from None
    values = {field: loaded[field] for field in ("name", "id_type", "id_no", "segment", "subject")}
    return RosterRow(checked_phone(loaded["phone"]), {**EMPTY, **checked_changes(EMPTY, values, today)})


def _find_or_create(db: Session, call: Call, vault: Vault, wanted: RosterRow) -> tuple[uuid.UUID, bool]:
    """The person's account and whether it is new. Raises Conflict when the row contradicts what is known."""
    candidates = vault.id_no_candidates(wanted.values["id_type"], wanted.values["id_no"])
    by_phone = queries.find_account_by_phone(db, vault.phone_candidates(wanted.phone))
    owner = queries.find_id_owner(db, candidates)
    if owner is None and by_phone is not None:
        raise Conflict("identity.import_phone_belongs", "phone")
    if owner is None:
        return _create(db, call, vault, wanted), True
    known = queries.find_profile(db, owner)
    if known is not None and open_profile(vault, known)["name"] != wanted.values["name"]:
        raise Conflict("identity.import_name_differs", "name")
    if by_phone is None or by_phone.id != owner:
        # Never overwritten: whoever could set another's phone could sign in as them.
        raise Conflict("identity.import_phone_differs", "phone")
    return owner, False


def _create(db: Session, call: Call, vault: Vault, wanted: RosterRow) -> uuid.UUID:
    account = new_account(vault, wanted.phone, Identity.TEACHER, "IMPORT", call.now)
    profile = Profile(account_id=account.id)
    fill_profile(vault, profile, wanted.values, call.now)
    try:
        # A savepoint: somebody may register with this phone at this moment, and only this row may fail for it.
        with db.begin_nested():
            db.add(account)
            db.flush()
            db.add(profile)
    except IntegrityError:
        raise Conflict("identity.import_phone_belongs", "phone") from None
    announce_registered(db, account)
    account.version += 1
    announce_changed(db, account, wanted.values)
    audit.record(db, call, subject=account.id, after={"origin": "IMPORT"})
    return account.id


def _row_number(row: dict[str, Any]) -> int | None:
    number = row.get("row")
    return number if type(number) is int and number in schemas.ROW_NUMBERS else None


def _tellable(field: str) -> str:
    # The name of an unknown column is the sender's text, and the reply is stored as JSONB, which takes no NUL.
    return field if field.isascii() and field.replace(".", "_").isidentifier() else ""
