"""Suspending, merging, closing and reopening a school (`domain.md` §3.6)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org.actions.grants import end_grants_at
from services.org.contract import SchoolState
from services.org.contract.units import KeepCodeOf
from services.org.delegation.actions import note_unit
from services.org.models import School
from services.org.rules import schools as school_rules
from services.org.transfers.actions import end_transfers_at
from services.org.units import queries
from services.org.units.actions import codes, members, moving
from services.org.units.actions.editing import lock_kept
from services.org.units.actions.telling import tell_change
from services.org.units.rules import lifecycle as rules
from services.org.units.rules.lifecycle import Act, Cause, CodeEnd
from services.shared.bus import Call
from services.shared.errors import Conflict

Values = dict[str, Any]


def suspend_school(db: Session, call: Call, school_id: uuid.UUID, version: int, reason: str) -> School:
    """From now on the school takes no teachers; whoever belongs to it still does, and its staff goes on."""
    return _turn(db, call, school_id, version, Act.SUSPEND, reason)


def resume_school(db: Session, call: Call, school_id: uuid.UUID, version: int, reason: str) -> School:
    return _turn(db, call, school_id, version, Act.RESUME, reason)


def merge_school(db: Session, call: Call, school_id: uuid.UUID, arguments: Values) -> School:
    """End a school in favour of another one under the same division, which is returned.

    Its teachers belong to that one at once, as sure as they were; its administrators' grants and codes end; of the two
    school codes one remains. Raises NotFound, NotAllowed and Conflict as `edit_school`, Conflict for a surviving school
    that takes no teachers or stands elsewhere.
    """
    into_id, reason = arguments["into"], arguments["reason"]
    rules.require_other_school(school_id, into_id)
    queries.lock_schools(db, (school_id, into_id))
    merged = lock_kept(db, call, school_id, arguments["version"], Act.MERGE)
    into = queries.get_school(db, into_id, field="into")
    call.authorise(place=into.place, missing="org.school_unknown", field="into")
    rules.require_real(other=into.other)
    rules.require_neighbours(merged.parent, into.parent)
    school_rules.require_open(SchoolState(into.state))
    kept = _settle_codes(db, call, merged, into, arguments["keep_code_of"])
    before = merged.state
    merged.state, merged.merged_into = SchoolState.MERGED, into_id
    teachers = members.follow_school(db, call, merged.place, into, Cause.SCHOOL_MERGED)
    grants = _end_staff(db, call, merged, reason)
    after = {"state": merged.state, "merged_into": str(into_id), "teachers": teachers, "grants_ended": grants}
    tell_change(db, call, merged, {"state": before}, after, reason)
    tell_change(db, call, into, {}, {"merged": str(school_id), "code": kept}, reason)
    return into


def close_school(db: Session, call: Call, school_id: uuid.UUID, version: int, reason: str) -> School:
    """End a school without teachers on duty.

    Whoever still waits there is rejected and may choose another school; who is archived there belongs nowhere; grants
    end, the code is void. Raises Conflict("org.school_has_teachers") otherwise.
    """
    school = lock_kept(db, call, school_id, version, Act.CLOSE)
    rules.require_no_teachers(members.count_on_duty(db, school))
    before = {"state": school.state, "code": school.code}
    school.state = SchoolState.CLOSED
    codes.end_code(db, school, CodeEnd.CLOSED, call.now)
    members.let_go(db, call, school, reason)
    grants = _end_staff(db, call, school, reason)
    tell_change(db, call, school, before, {"state": school.state, "code": None, "grants_ended": grants}, reason)
    return school


def reopen_school(db: Session, call: Call, school_id: uuid.UUID, version: int, reason: str) -> School:
    """A school hangs its sign again: under its name, with its old code unless a merger gave that away, and nobody in it.

    Raises Conflict("org.name_taken") when another school has the name by now.
    """
    school = lock_kept(db, call, school_id, version, Act.REOPEN)
    if queries.find_namesake(db, school.parent, school.name, school_id):
        raise Conflict("org.name_taken", "name")
    before = {"state": school.state, "code": school.code}
    school.state, school.merged_into = SchoolState.ACTIVE, None
    db.flush()
    codes.take_back_code(db, school)
    note_unit(db, None, school.place)
    tell_change(db, call, school, before, {"state": school.state, "code": school.code}, reason)
    return school


def _turn(db: Session, call: Call, school_id: uuid.UUID, version: int, act: Act, reason: str) -> School:
    school = lock_kept(db, call, school_id, version, act)
    before = school.state
    school.state = rules.next_state(SchoolState(before), act)
    tell_change(db, call, school, {"state": before}, {"state": school.state}, reason)
    return school


def _settle_codes(db: Session, call: Call, merged: School, into: School, keep: KeepCodeOf) -> str | None:
    """Let the surviving school carry the code that the merger keeps; returns it."""
    code = rules.code_after_merger(merged.code, into.code, keep)
    if keep is KeepCodeOf.MERGED:
        school_rules.require_code_fits(str(code), queries.kind_of(into), queries.type_of(into))
        codes.hand_over_code(db, merged, into, call.now)
    else:
        codes.end_code(db, merged, CodeEnd.MERGED, call.now)
    return code


def _end_staff(db: Session, call: Call, school: School, reason: str) -> int:
    """Nobody administers, moves, joins or leaves a school that has ended; returns how many grants this ends."""
    moving.drop_open_move(db, call, school, reason)
    end_transfers_at(db, call, school.place)
    ended = end_grants_at(db, call, school.place, reason)
    note_unit(db, school.place, None)
    return ended
