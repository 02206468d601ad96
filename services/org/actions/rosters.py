"""Putting the people of a roster into their schools."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries
from services.org.actions import memberships
from services.org.actions.memberships import Move
from services.org.contract import Outcome, SchoolState
from services.org.models import Membership, School
from services.org.rules import membership as rules
from services.org.rules import schools as school_rules
from services.org.rules.membership import Act
from services.org.units.queries import hold_schools
from services.shared import audit
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound, ServiceError


def find_schools(db: Session, call: Call, codes: list[str]) -> list[School]:
    """The schools of these codes that the caller may fill; others are left out, as if unknown."""
    authorise_territory(call)
    return [school for school in queries.find_schools_by_code(db, codes) if _reaches(call, school.place)]


def import_memberships(db: Session, call: Call, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Put each account into its school, waiting for verification; every row gets its own outcome.

    A teacher who belongs to another school, or waits there, is refused: moving her is a transfer.
    """
    authorise_territory(call)
    hold_schools(db, {row["school_id"] for row in rows})
    schools = queries.find_schools_by_id(db, {row["school_id"] for row in rows})
    present = queries.lock_memberships(db, {row["account_id"] for row in rows})
    moves: dict[uuid.UUID, Move] = {}
    outcomes = [_outcome(call, row, schools, present, moves) for row in rows]
    memberships.move_all(db, call, list(moves.values()), Act.ADD)
    audit.record_many(db, call, [_act(move) for move in moves.values()])
    return {"rows": outcomes}


def authorise_territory(call: Call) -> None:
    """For lists that are filtered row by row: the caller acts inside the own territory, whatever he asks for."""
    territory = call.actor.places(call.policy.roles)
    call.authorise(place=territory[0] if territory else None)


def _outcome(
    call: Call,
    row: dict[str, Any],
    schools: dict[uuid.UUID, School],
    present: dict[uuid.UUID, Membership],
    moves: dict[uuid.UUID, Move],
) -> dict[str, Any]:
    """The row's outcome; a teacher who has to move is added to `moves`."""
    outcome, code, teacher_id = Outcome.UNCHANGED, "", row["account_id"]
    try:
        school = schools.get(row["school_id"])
        if school is None or not _reaches(call, school.place):
            raise NotFound("org.school_unknown")
        if earlier := moves.get(teacher_id):
            if earlier.school is not school:
                raise Conflict("org.member_elsewhere")
        elif move := _planned_move(call, teacher_id, present.get(teacher_id), school):
            outcome, moves[teacher_id] = Outcome.CREATED, move
    except ServiceError as error:
        outcome, code = Outcome.REFUSED, error.code
    return {"row": row["row"], "outcome": outcome, "code": code, "field": "school_id" if code else ""}


def _planned_move(call: Call, teacher_id: uuid.UUID, membership: Membership | None, school: School) -> Move | None:
    """What has to be done for this teacher, None when she is there already. Raises the refusal."""
    rules.require_other_person(call.actor.account_id, teacher_id)
    state = memberships.state_of(membership)
    same_school = membership is not None and membership.school_id == school.school_id
    if rules.is_already_there(state, same_school=same_school):
        return None
    school_rules.require_open(SchoolState(school.state))
    in_other = membership is not None and school_rules.is_other(membership.place)
    after = rules.state_when_added(state, in_other=in_other)
    return Move(teacher_id, membership, school, after, state or "")


def _act(move: Move) -> audit.Act:
    after = {"state": str(move.state), "school_id": str(move.school.school_id)}
    return audit.Act(move.teacher_id, move.school.place, before={"state": move.state_before}, after=after)


def _reaches(call: Call, place: str) -> bool:
    if call.actor.service:
        return True
    return any(covers(granted, place) for granted in call.actor.places(call.policy.roles))
