"""The people behind a school: its head, and whom notices by SMS reach. Sealed at rest, masked when shown."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org.models import School, SchoolContact
from services.org.rules import schools as rules
from services.shared.crypto import FieldCipher

TABLE = "school_contact"
PEOPLE = ("head_name", "head_mobile", "notice_name", "notice_mobile")
ROWS_AT_ONCE = 500

Values = dict[str, Any]


def new_contact(cipher: FieldCipher, school: School, values: Values) -> SchoolContact:
    contact = SchoolContact(school_id=school.school_id, place=school.place, seal_name=values["seal_name"], head_name="")
    for field in PEOPLE:
        _seal(cipher, contact, field, values.get(field))
    return contact


def change_contact(cipher: FieldCipher, contact: SchoolContact, values: Values) -> list[str]:
    """Write what differs; returns the names of the changed fields."""
    held = open_contact(cipher, contact)
    changed = [field for field in ("seal_name", *PEOPLE) if field in values and values[field] != held[field]]
    for field in changed:
        if field == "seal_name":
            contact.seal_name = values[field]
        else:
            _seal(cipher, contact, field, values[field])
    return changed


def open_contact(cipher: FieldCipher, contact: SchoolContact) -> Values:
    """All of it in clear; None for a person who was not named."""
    return {"seal_name": contact.seal_name, **{field: _open(cipher, contact, field) for field in PEOPLE}}


def mask_contact(cipher: FieldCipher, contact: SchoolContact) -> Values:
    """As those who manage the school see it."""
    shown = open_contact(cipher, contact)
    for field in PEOPLE:
        if shown[field] is not None:
            mask = rules.mask_mobile if field.endswith("mobile") else rules.mask_name
            shown[field] = mask(shown[field])
    return shown


def seal_waiting(db: Session, cipher: FieldCipher) -> int:
    """Seal names from before they were sealed, and bring a batch under the newest key; returns how many rows changed."""
    waiting = [SchoolContact.head_name != ""]
    if cipher.has_older_keys:
        columns = [getattr(SchoolContact, f"{field}_sealed") for field in PEOPLE]
        waiting += [sa.not_(sa.func.starts_with(column, cipher.key_prefix)) for column in columns]
    rows = db.scalars(
        sa.select(SchoolContact)
        .where(sa.or_(*waiting))
        .limit(ROWS_AT_ONCE)
        # A row that somebody is changing right now gets the newest key by that change, or next time.
        .with_for_update(skip_locked=True)
    ).all()
    for contact in rows:
        for field in PEOPLE:
            _seal(cipher, contact, field, _open(cipher, contact, field))
    return len(rows)


def _seal(cipher: FieldCipher, contact: SchoolContact, field: str, text: str | None) -> None:
    sealed = None if text is None else cipher.seal(text, TABLE, contact.school_id, field)
    setattr(contact, f"{field}_sealed", sealed)
    if field == "head_name":
        contact.head_name = ""


def _open(cipher: FieldCipher, contact: SchoolContact, field: str) -> str | None:
    if field == "head_name" and contact.head_name:
        return contact.head_name
    sealed = getattr(contact, f"{field}_sealed")
    return None if sealed is None else cipher.open(sealed, TABLE, contact.school_id, field)
