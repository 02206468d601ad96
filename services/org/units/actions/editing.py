"""Changing what is known of a school (`domain.md` §3.6: the level that keeps it, or its own staff for its own data)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org.actions import contacts
from services.org.contract import SchoolState
from services.org.models import School
from services.org.rules.delegation import SCHOOL_STAFF, keeps_schools_under, require_school_keeper
from services.org.units import queries
from services.org.units.actions import codes, members
from services.org.units.actions.telling import tell_change
from services.org.units.rules import lifecycle as rules
from services.org.units.rules.lifecycle import Act, CodeEnd
from services.shared import audit
from services.shared.bus import Call
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, NotAllowed
from services.shared.search_tokens import tokens_of

Values = dict[str, Any]
COLUMNS = ("name", "school_type", "town", "nature", "kind", "code")


def edit_school(
    db: Session, call: Call, school_id: uuid.UUID, version: int, wanted: Values, cipher: FieldCipher
) -> School:
    """Change the named fields; what is as wanted already stays, and then nothing is told.

    Raises NotFound outside the caller's reach, NotAllowed for what is the keeper's, Conflict for an outdated `version`,
    a name or code that is taken, a change of kind without its new code, and a school that has ended.
    """
    school = lock_for_change(db, call, school_id, version, Act.EDIT)
    contact = queries.get_contact(db, school_id)
    before = {name: getattr(school, name) for name in COLUMNS}
    changes = {name: wanted[name] for name in COLUMNS if name in wanted and wanted[name] != before[name]}
    people = frozenset(wanted) - frozenset(COLUMNS)
    _require_right(call, school, frozenset(changes) | people)
    _require_code_of_kind(call, school, changes)
    if "name" in changes:
        _require_free_name(db, school, changes["name"])
    _apply(db, call, school, changes)
    changed_people = contacts.change_contact(cipher, contact, wanted)
    if changes or changed_people:
        tell_change(
            db,
            call,
            school,
            {name: before[name] for name in changes},
            {**changes, **({"contact": changed_people} if changed_people else {})},
        )
    if "name" in changes:
        members.tell_name(db, school)
    return school


def correct_school_code(
    db: Session, call: Call, school_id: uuid.UUID, version: int, code: str | None, reason: str
) -> School:
    """Replace a code that was typed wrong. It was never this school's, so its rightful one may take it.

    Raises as `edit_school`, and Conflict("org.no_code_to_correct") for a school without one.
    """
    school = lock_kept(db, call, school_id, version, Act.EDIT)
    if school.code is None:
        raise Conflict("org.no_code_to_correct", "code")
    before = school.code
    if code != before:
        codes.end_code(db, school, CodeEnd.CORRECTED, call.now)
        if code is not None:
            codes.give_code(db, school, code, call.now)
        tell_change(db, call, school, {"code": before}, {"code": code}, reason)
    return school


def reveal_contact(db: Session, call: Call, school_id: uuid.UUID, reason: str, cipher: FieldCipher) -> Values:
    """Names and numbers of the school's people in clear, for who has to call them; each look is recorded."""
    school = get_in_reach(db, call, school_id)
    rules.require_real(other=school.other)
    audit.record(db, call, subject=school_id, place=school.place, reason=reason, after={"shown": "contact"})
    return contacts.open_contact(cipher, queries.get_contact(db, school_id))


def get_in_reach(db: Session, call: Call, school_id: uuid.UUID) -> School:
    """The school, when the caller's grants reach it. Raises NotFound("org.school_unknown")."""
    school = queries.get_school(db, school_id)
    call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
    return school


def lock_for_change(db: Session, call: Call, school_id: uuid.UUID, version: int, act: Act) -> School:
    """The locked school, in the caller's reach, as he saw it, in a state that allows the act."""
    school = queries.lock_school(db, school_id)
    call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
    rules.require_real(other=school.other)
    rules.require_version(school.version, version)
    rules.next_state(SchoolState(school.state), act)
    return school


def lock_kept(db: Session, call: Call, school_id: uuid.UUID, version: int, act: Act) -> School:
    """As `lock_for_change`, for the level that keeps the school. Raises NotAllowed("org.not_directly_attached") above it."""
    school = queries.lock_school(db, school_id)
    call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
    rules.require_real(other=school.other)
    require_school_keeper(call.actor.grants, school.parent)
    rules.require_version(school.version, version)
    rules.next_state(SchoolState(school.state), act)
    return school


def _require_right(call: Call, school: School, fields: frozenset[str]) -> None:
    if any(keeps_schools_under(grant.role, grant.place, school.parent) for grant in call.actor.grants):
        return
    if not any(grant.role in SCHOOL_STAFF and grant.place == school.place for grant in call.actor.grants):
        raise NotAllowed("org.not_directly_attached")
    rules.require_own_fields(fields)


def _require_code_of_kind(call: Call, school: School, changes: Values) -> None:
    """The kind of a school and the kind in its code change together, and the code for no other reason."""
    kind = changes.get("kind", queries.kind_of(school))
    school_type = changes.get("school_type", queries.type_of(school))
    if rules.needs_new_code(school.code, queries.kind_of(school), kind, school_type):
        _require_right(call, school, frozenset({"code"}))
        if "code" not in changes:
            raise Conflict("org.recode_needed", "code")
    elif "code" in changes and school.code is not None:
        raise Conflict("org.code_kept", "code")


def _require_free_name(db: Session, school: School, name: str) -> None:
    if queries.find_namesake(db, school.parent, name, school.school_id):
        raise Conflict("org.name_taken", "name")


def _apply(db: Session, call: Call, school: School, changes: Values) -> None:
    for name, value in changes.items():
        if name != "code":
            setattr(school, name, value)
    if "name" in changes:
        school.name_tokens = tokens_of(school.name)
    if "code" in changes:
        codes.end_code(db, school, CodeEnd.RECODED, call.now)
        if changes["code"] is not None:
            codes.give_code(db, school, changes["code"], call.now)
