"""Putting the people of a roster into their schools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries
from services.org.actions import memberships
from services.org.contract import MembershipState, Outcome, SchoolState
from services.org.models import School
from services.org.rules import membership as rules
from services.org.rules import schools as school_rules
from services.org.rules.membership import Act
from services.shared import audit
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import NotFound, ServiceError


def find_schools(db: Session, call: Call, codes: list[str]) -> list[School]:
    """The schools of these codes that the caller may fill; others are left out, as if unknown."""
    authorise_territory(call)
    return [school for school in queries.find_schools_by_code(db, codes) if _reaches(call, school.place)]


def import_memberships(db: Session, call: Call, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Put each account into its school, waiting for verification; every row gets its own outcome.

    A teacher who belongs to another school, or waits there, is refused: moving her is a transfer.
    """
    authorise_territory(call)
    return {"rows": [_import_row(db, call, row) for row in rows]}


def authorise_territory(call: Call) -> None:
    """For lists that are filtered row by row: the caller acts inside the own territory, whatever he asks for."""
    territory = call.actor.places(call.policy.roles)
    call.authorise(place=territory[0] if territory else None)


def _import_row(db: Session, call: Call, row: dict[str, Any]) -> dict[str, Any]:
    try:
        outcome, code = _add_member(db, call, row), ""
    except ServiceError as error:
        outcome, code = Outcome.REFUSED, error.code
    return {"row": row["row"], "outcome": outcome, "code": code, "field": "school_id" if code else ""}


def _add_member(db: Session, call: Call, row: dict[str, Any]) -> Outcome:
    teacher_id = row["account_id"]
    school = queries.get_school(db, row["school_id"])
    if not _reaches(call, school.place):
        raise NotFound("org.school_unknown")
    rules.require_other_person(call.actor.account_id, teacher_id)
    membership = queries.lock_membership(db, teacher_id)
    state = MembershipState(membership.state) if membership else None
    same_school = membership is not None and membership.school_id == school.school_id
    if rules.is_already_there(state, same_school=same_school):
        return Outcome.UNCHANGED
    school_rules.require_open(SchoolState(school.state))
    in_other = membership is not None and school_rules.is_other(membership.place)
    new_state = rules.state_when_added(state, in_other=in_other)
    memberships.move_to(db, call, membership, teacher_id, school, new_state, Act.ADD)
    audit.record(
        db,
        call,
        subject=teacher_id,
        place=school.place,
        before={"state": str(state)} if state else {},
        after={"state": str(new_state), "school_id": str(school.school_id)},
    )
    return Outcome.CREATED


def _reaches(call: Call, place: str) -> bool:
    if call.actor.service:
        return True
    return any(covers(granted, place) for granted in call.actor.places(call.policy.roles))
