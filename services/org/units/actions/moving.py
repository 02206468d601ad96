"""Moving a school to another division (`domain.md` §3.7): asked below, executed above both sides, all of it at once."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org.actions.grants import move_grants
from services.org.contract import Level, SchoolState
from services.org.contract.units import SCHOOL_MOVE_CHANGED, MoveState
from services.org.delegation.actions import note_unit
from services.org.models import Division, School
from services.org.rules import schools as school_rules
from services.org.transfers.actions import move_school
from services.org.units import queries
from services.org.units.actions import codes, members
from services.org.units.actions.telling import tell_change
from services.org.units.models import SchoolFormerPlace, SchoolMove
from services.org.units.rules import lifecycle
from services.org.units.rules import moving as rules
from services.org.units.rules.lifecycle import Cause, CodeEnd
from services.org.units.rules.moving import Act
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id

Values = dict[str, Any]


def request_move(db: Session, call: Call, school_id: uuid.UUID, division_code: str, reason: str) -> SchoolMove:
    """Ask the level above both sides to move a school; either side may ask.

    Raises NotFound when neither side is the caller's, NotAllowed for the level that would execute it, InvalidInput for
    the division where the school stands, Conflict for a school that has ended and while another request waits.
    """
    assert call.actor.account_id is not None
    target = queries.find_division(db, division_code)
    if target is None:
        raise NotFound("org.division_unknown", "division_code")
    # From the receiving side the school is out of reach, but its name is public.
    queries.hold_schools(db, [school_id])
    school = queries.get_school(db, school_id)
    _authorise_side(call, school.parent, target.place)
    lifecycle.require_real(other=school.other)
    rules.require_elsewhere(school.parent, target.place)
    if not rules.asks(call.actor.grants, school.parent, target.place):
        raise NotAllowed("org.move_not_asked_here")
    lifecycle.next_state(SchoolState(school.state), lifecycle.Act.MOVE)
    if queries.has_open_move(db, school_id):
        raise Conflict("org.move_open")
    move = SchoolMove(
        move_id=new_id(),
        school_id=school_id,
        from_parent=school.parent,
        to_parent=target.place,
        to_division=target.code,
        executing_place=rules.executing_place(school.parent, target.place),
        state=MoveState.REQUESTED,
        reason=reason,
        requested_by=call.actor.account_id,
        requested_at=call.now,
        decision_reason="",
        version=0,
    )
    db.add(move)
    _tell(db, call, move, None, reason)
    return move


def execute_move(db: Session, call: Call, move_id: uuid.UUID, reason: str) -> SchoolMove:
    """Move the school with everything that stands at its place, in one transaction.

    Its teachers' stays are divided at this moment, so that hours and statistics keep the place where they belong; its
    staff's grants and codes stay good. Raises NotFound and NotAllowed for whoever does not decide it, Conflict when the
    school has ended meanwhile or its name is taken there.
    """
    move = _decidable(db, call, move_id, Act.EXECUTE)
    school = queries.lock_school(db, move.school_id)
    lifecycle.next_state(SchoolState(school.state), lifecycle.Act.MOVE)
    target = queries.find_division(db, move.to_division)
    assert target is not None  # a foreign key says so
    if queries.find_namesake(db, target.place, school.name, school.school_id):
        raise Conflict("org.name_taken", "name")
    before = {"place": school.place, "attachment": school.attachment, "code": school.code}
    _put_under(db, call, school, target)
    _decide(db, call, move, Act.EXECUTE, reason)
    after = {"place": school.place, "attachment": school.attachment, "code": school.code, "move": str(move_id)}
    tell_change(db, call, school, before, after, reason)
    return move


def reject_move(db: Session, call: Call, move_id: uuid.UUID, reason: str) -> SchoolMove:
    """The level that would execute it does not. Raises as `execute_move`."""
    move = _decidable(db, call, move_id, Act.REJECT)
    _decide(db, call, move, Act.REJECT, reason)
    return move


def withdraw_move(db: Session, call: Call, move_id: uuid.UUID, reason: str) -> SchoolMove:
    """Whoever asked takes it back. Raises NotFound outside both sides, NotAllowed for anybody else."""
    move = queries.lock_move(db, move_id)
    _authorise_side(call, move.from_parent, move.to_parent, missing="org.move_unknown")
    rules.require_own_request(move.requested_by, call.actor.account_id)
    _decide(db, call, move, Act.WITHDRAW, reason)
    return move


def drop_open_move(db: Session, call: Call, school: School, reason: str) -> None:
    """A school that ends goes nowhere: its open request is rejected by that."""
    if (move := queries.find_open_move(db, school.school_id)) is not None:
        _decide(db, call, move, Act.REJECT, reason, by_nobody=True)


def get_move(db: Session, call: Call, move_id: uuid.UUID) -> SchoolMove:
    """Raises NotFound("org.move_unknown") outside both sides."""
    move = queries.find_move(db, move_id)
    _authorise_side(call, move.from_parent, move.to_parent, missing="org.move_unknown")
    return move


def payload_of(move: SchoolMove) -> Values:
    """The request as `org.school_move_changed` tells it."""
    return {
        "move_id": str(move.move_id),
        "version": move.version,
        "school_id": str(move.school_id),
        "from_parent": move.from_parent,
        "to_parent": move.to_parent,
        "state": str(move.state),
    }


def _authorise_side(call: Call, parent: str, target: str, missing: str = "org.school_unknown") -> None:
    """Whoever reaches either side has to do with the move."""
    try:
        call.authorise(place=parent, missing=missing)
    except NotFound:
        call.authorise(place=target, missing=missing)


def _decidable(db: Session, call: Call, move_id: uuid.UUID, act: Act) -> SchoolMove:
    move = queries.lock_move(db, move_id)
    _authorise_side(call, move.from_parent, move.to_parent, missing="org.move_unknown")
    rules.require_executor(call.actor.grants, move.from_parent, move.to_parent)
    rules.require_other_person(move.requested_by, call.actor.account_id)
    rules.next_state(MoveState(move.state), act)
    return move


def _put_under(db: Session, call: Call, school: School, target: Division) -> None:
    old = school.place
    since = queries.find_last_move(db, school.school_id) or school.created_at
    db.add(
        SchoolFormerPlace(
            school_id=school.school_id,
            from_at=since,
            until_at=call.now,
            place=old,
            division_code=school.division_code,
        )
    )
    if rules.leaves_province(school.parent, target.place):
        codes.end_code(db, school, CodeEnd.MOVED, call.now)
    school.parent, school.division_code = target.place, target.code
    school.place = school_rules.place_of_school(target.place, school.school_id)
    school.attachment = school_rules.attachment_under(Level(target.level))
    queries.get_contact(db, school.school_id).place = school.place
    db.flush()
    members.follow_school(db, call, old, school, Cause.SCHOOL_MOVED)
    members.follow_place(db, call, old, school)
    move_school(db, old, school.place)
    move_grants(db, call, old, school.place)
    note_unit(db, old, school.place)


def _decide(db: Session, call: Call, move: SchoolMove, act: Act, reason: str, *, by_nobody: bool = False) -> None:
    before = move.state
    move.state = rules.next_state(MoveState(before), act)
    move.decided_at, move.decision_reason = call.now, reason
    move.decided_by = None if by_nobody else call.actor.account_id
    _tell(db, call, move, before, reason)


def _tell(db: Session, call: Call, move: SchoolMove, before: str | None, reason: str) -> None:
    move.version += 1
    db.flush()
    outbox.announce(db, SCHOOL_MOVE_CHANGED, move.move_id, payload_of(move))
    audit.record(
        db,
        call,
        subject=move.school_id,
        place=move.executing_place,
        reason=reason,
        before={"state": before} if before else {},
        after={"state": str(move.state), "move_id": str(move.move_id), "to": move.to_parent},
    )
