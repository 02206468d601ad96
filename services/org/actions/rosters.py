"""Putting the people of a roster into their schools."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
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
from services.shared.actor import Role, covers
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound, ServiceError
from services.shared.ids import new_id


def find_schools(db: Session, call: Call, codes: list[str]) -> list[School]:
    """The schools of these codes that the caller may fill; others are left out, as if unknown."""
    authorise_territory(call)
    return [school for school in queries.find_schools_by_code(db, codes) if _reaches(call, school.place)]


def import_memberships(db: Session, call: Call, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Put each account into its school; every row gets its own outcome, and the state in which its teacher now is.

    Whom the school's own administrator adds is verified by that; whom a region adds waits for the school's word. A teacher who belongs to another school, or waits there, is refused: moving her is a transfer.
    """
    authorise_territory(call)
    hold_schools(db, {row["school_id"] for row in rows})
    present = queries.lock_memberships(db, {row["account_id"] for row in rows})
    roster = Roster(call, _reachable_schools(db, call, rows), present)
    outcomes = [roster.place(row) for row in rows]
    moves = list(roster.moves.values())
    memberships.move_all(db, call, moves, Act.ADD)
    audit.record_many(db, call, [_act(move) for move in moves])
    return {"rows": outcomes}


def foresee_refusals(db: Session, call: Call, rows: Sequence[dict[str, Any]]) -> dict[int, str]:
    """The codes with which `import_memberships` would refuse rows at this moment, by row number; nothing changes.

    A row without `account_id` names somebody whom its sender would be told to be new.
    """
    authorise_territory(call)
    present = queries.find_memberships(db, {row["account_id"] for row in rows if row["account_id"]})
    roster = Roster(call, _reachable_schools(db, call, rows), present)
    placed = [roster.place(row if row["account_id"] else {**row, "account_id": new_id()}) for row in rows]
    return {each["row"]: each["code"] for each in placed if each["code"]}


def authorise_territory(call: Call) -> None:
    """For lists that are filtered row by row: the caller acts inside the own territory, whatever he asks for."""
    territory = call.actor.places(call.policy.roles)
    call.authorise(place=territory[0] if territory else None)


def _reachable_schools(db: Session, call: Call, rows: Sequence[dict[str, Any]]) -> dict[uuid.UUID, School]:
    found = queries.find_schools_by_id(db, {row["school_id"] for row in rows})
    return {school_id: school for school_id, school in found.items() if _reaches(call, school.place)}


@dataclasses.dataclass
class Roster:
    """What is known for the rows of one call, and the moves that follow from the rows placed so far."""

    call: Call
    schools: Mapping[uuid.UUID, School]
    present: Mapping[uuid.UUID, Membership]
    moves: dict[uuid.UUID, Move] = dataclasses.field(default_factory=dict)

    def place(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row's outcome; a teacher who has to move is added to `moves`."""
        outcome, code, state, teacher_id = Outcome.UNCHANGED, "", "", row["account_id"]
        try:
            school = self.schools.get(row["school_id"])
            if school is None:
                raise NotFound("org.school_unknown")
            if earlier := self.moves.get(teacher_id):
                if earlier.school is not school:
                    raise Conflict("org.member_elsewhere")
                state = earlier.state
            elif move := _planned_move(self.call, teacher_id, self.present.get(teacher_id), school):
                outcome, self.moves[teacher_id], state = Outcome.CREATED, move, move.state
            else:
                state = self.present[teacher_id].state
        except ServiceError as error:
            outcome, code = Outcome.REFUSED, error.code
        field = "school_id" if code else ""
        return {"row": row["row"], "outcome": outcome, "code": code, "field": field, "state": state}


def _planned_move(call: Call, teacher_id: uuid.UUID, membership: Membership | None, school: School) -> Move | None:
    """What has to be done for this teacher, None when she is there already. Raises the refusal."""
    rules.require_other_person(call.actor.account_id, teacher_id)
    state = memberships.state_of(membership)
    same_school = membership is not None and membership.school_id == school.school_id
    if rules.is_already_there(state, same_school=same_school):
        return None
    school_rules.require_open(SchoolState(school.state))
    in_other = membership is not None and school_rules.is_other(membership.place)
    after = rules.state_when_added(state, in_other=in_other, vouched=_is_own(call, school))
    return Move(teacher_id, membership, school, after, state or "")


def _is_own(call: Call, school: School) -> bool:
    """Whether the caller is this very school's administrator, who verifies its teachers anyway."""
    own = (grant.place for grant in call.actor.grants if grant.role is Role.SCHOOL_ADMIN)
    return school.place in own


def _act(move: Move) -> audit.Act:
    after = {"state": str(move.state), "school_id": str(move.school.school_id)}
    return audit.Act(move.teacher_id, move.school.place, before={"state": move.state_before}, after=after)


def _reaches(call: Call, place: str) -> bool:
    if call.actor.service:
        return True
    return any(covers(granted, place) for granted in call.actor.places(call.policy.roles))
