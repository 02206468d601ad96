"""Choosing a school, and the school's decisions about its teachers (`domain.md` §3.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.contract import MembershipState
from services.org.contract.staffing import Employment
from services.org.models import Membership, School
from services.org.queries import MembershipView
from services.org.rules import membership as rules
from services.org.rules import schools as school_rules
from services.org.rules.membership import Act, Cause
from services.org.units.queries import hold_schools
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import NotFound
from services.shared.ids import new_id_text
from services.shared.many_rows import insert_into, run_many

MISSING = "org.membership_unknown"
_INSERT_MEMBERSHIPS = insert_into(
    "membership",
    "teacher_id uuid, school_id uuid, place text, state text",
    same="reason text, version integer, changed_at timestamptz, employment text, employment_version integer,"
    " employment_at timestamptz",
)
_OPEN_PERIODS = insert_into(
    "membership_period",
    "period_id uuid, teacher_id uuid, school_id uuid, place text, verified_at timestamptz",
    same="opened_by text, opened_at timestamptz",
)


def choose_school(db: Session, call: Call, arguments: dict[str, Any]) -> MembershipView:
    """The caller waits for verification at the chosen school, or in 其他 of a county.

    Choosing the same school again changes nothing. Raises NotAllowed for another identity than teacher, NotFound for an
    unknown school, Conflict for a closed one and for a teacher who is verified elsewhere.
    """
    teacher_id = call.authorise_own()
    rules.require_teacher(call.actor.identity)
    school = _chosen(db, arguments)
    membership = queries.lock_membership(db, teacher_id)
    same_school = membership is not None and membership.school_id == school.school_id
    if not rules.is_already_there(state_of(membership), same_school=same_school):
        school_rules.require_open(contract.SchoolState(school.state))
        state = rules.next_state(state_of(membership), Act.CHOOSE)
        move_all(db, call, [Move(teacher_id, membership, school, state)], Act.CHOOSE)
    return queries.get_membership(db, teacher_id)


def verify_membership(db: Session, call: Call, teacher_id: uuid.UUID) -> MembershipView:
    """The school confirms that the teacher is hers. Raises Conflict unless she waits for it."""
    return _decide(db, call, teacher_id, Act.VERIFY, "")


def reject_membership(db: Session, call: Call, teacher_id: uuid.UUID, reason: str) -> MembershipView:
    """The school says that the teacher is not hers. Raises Conflict unless she waits for verification."""
    return _decide(db, call, teacher_id, Act.REJECT, reason)


def release_membership(db: Session, call: Call, teacher_id: uuid.UUID, reason: str) -> MembershipView:
    """The school lets a verified teacher go; she may edit her profile and choose again. Raises Conflict unless verified."""
    return _decide(db, call, teacher_id, Act.RELEASE, reason)


class Timed(Protocol):
    """Whatever says when something happens: a call, or an event on its way in."""

    now: dt.datetime


@dataclasses.dataclass(frozen=True)
class Move:
    """A teacher about to be at a school; `membership` is the locked row, or None for the first one."""

    teacher_id: uuid.UUID
    membership: Membership | None
    school: School
    state: MembershipState
    state_before: str = ""


def move_all(db: Session, call: Timed, moves: Sequence[Move], act: Act | Cause) -> None:
    """Write each membership, close the period before it, open the new one, and announce it; few statements for many."""
    if not moves:
        return
    for period in queries.list_open_periods(db, [move.teacher_id for move in moves]):
        period.closed_at, period.closed_by = call.now, act
    for move in moves:
        if move.membership:
            move.membership.school_id, move.membership.place = move.school.school_id, move.school.place
            _change(move.membership, call, move.state, "")
    db.flush()  # before the next ones open: the database allows one open period per teacher
    rows = [_row(call, move) for move in moves]
    _open_first(db, call, [row for row, move in zip(rows, moves, strict=True) if move.membership is None])
    run_many(db, _OPEN_PERIODS, rows, opened_by=act, opened_at=call.now.isoformat())
    effective_at = clock.format_instant(call.now)
    told = [(row["teacher_id"], _told(row, move, effective_at)) for row, move in zip(rows, moves, strict=True)]
    outbox.announce_many(db, contract.MEMBERSHIP_CHANGED, told)


def _row(call: Timed, move: Move) -> dict[str, Any]:
    """What the tables of memberships and of their periods both need of a move."""
    return {
        "period_id": new_id_text(),
        "teacher_id": str(move.teacher_id),
        "school_id": str(move.school.school_id),
        "place": move.school.place,
        "state": move.state.value,
        "verified_at": call.now.isoformat() if move.state is MembershipState.VERIFIED else None,
    }


def _open_first(db: Session, call: Timed, rows: Sequence[dict[str, Any]]) -> None:
    """The memberships of teachers who never had one."""
    if rows:
        now = call.now.isoformat()
        first = {"reason": "", "version": 1, "employment": Employment.ON_DUTY.value, "employment_version": 0}
        run_many(db, _INSERT_MEMBERSHIPS, rows, changed_at=now, employment_at=now, **first)


def _told(row: dict[str, Any], move: Move, effective_at: str) -> dict[str, Any]:
    return {
        "teacher_id": row["teacher_id"],
        "version": move.membership.version if move.membership else 1,
        "state": row["state"],
        "school_id": row["school_id"],
        "school_name": move.school.name,
        "place": row["place"],
        "effective_at": effective_at,
    }


def _decide(db: Session, call: Call, teacher_id: uuid.UUID, act: Act, reason: str) -> MembershipView:
    membership = queries.lock_membership(db, teacher_id)
    record = judge(call, membership, teacher_id, act, reason)
    assert membership is not None  # `judge` refused it
    settle(db, call, act, [(membership, record)])
    return queries.get_membership(db, teacher_id)


def judge(call: Call, membership: Membership | None, teacher_id: uuid.UUID, act: Act, reason: str) -> audit.Act:
    """Decide about one locked membership: change its row, and say what is to be recorded. `settle` does the rest.

    Raises the refusal, and then nothing has changed: NotFound outside the caller's school, NotAllowed for the caller
    himself, Conflict for a state in which the act is impossible.
    """
    if membership is None:
        raise NotFound(MISSING)
    call.authorise(place=membership.place, missing=MISSING)
    rules.require_other_person(call.actor.account_id, teacher_id)
    rules.require_reviewer(in_other=school_rules.is_other(membership.place))
    before = membership.state
    _change(membership, call, rules.next_state(state_of(membership), act), reason)
    after = {"state": str(membership.state), "version": membership.version}
    return audit.Act(teacher_id, membership.place, reason, before={"state": before}, after=after)


def settle(db: Session, call: Call, act: Act, decided: Sequence[tuple[Membership, audit.Act]]) -> None:
    """Bring the periods of the decided memberships up to date, announce and record them; few statements for many."""
    memberships = [membership for membership, _ in decided]
    for period in queries.list_open_periods(db, [membership.teacher_id for membership in memberships]):
        if act is Act.VERIFY:
            period.verified_at = call.now
        else:
            period.closed_at, period.closed_by = call.now, act
    db.flush()
    schools = queries.find_schools_by_id(db, {membership.school_id for membership in memberships})
    announce_all(db, [(membership, schools[membership.school_id].name) for membership in memberships])
    audit.record_many(db, call, [record for _, record in decided])


def _chosen(db: Session, arguments: dict[str, Any]) -> School:
    """The school, which from here on neither ends nor moves before the choice is written."""
    if "other_of" in arguments:
        return queries.get_other(db, arguments["other_of"])
    hold_schools(db, [arguments["school_id"]])
    return queries.get_school(db, arguments["school_id"])


def state_of(membership: Membership | None) -> MembershipState | None:
    return MembershipState(membership.state) if membership else None


def close(db: Session, at: Timed, membership: Membership, act: Act | Cause, reason: str) -> None:
    """End a stay without the school's decision, and announce that the teacher belongs nowhere."""
    for period in queries.list_open_periods(db, [membership.teacher_id]):
        period.closed_at, period.closed_by = at.now, act
    _change(membership, at, MembershipState.RELEASED, reason)
    db.flush()
    announce_all(db, [(membership, "")])


def _change(membership: Membership, call: Timed, state: MembershipState, reason: str) -> None:
    membership.state, membership.reason = state, reason
    membership.version += 1
    membership.changed_at = call.now


def announce_all(db: Session, changed: Sequence[tuple[Membership, str]]) -> None:
    """Tell each membership, with the name of its school, as it is now."""
    outbox.announce_many(
        db,
        contract.MEMBERSHIP_CHANGED,
        [(membership.teacher_id, payload_of(membership, school_name)) for membership, school_name in changed],
    )


def payload_of(membership: Membership, school_name: str) -> dict[str, Any]:
    """The membership as `org.membership_changed` tells it."""
    released = membership.state == MembershipState.RELEASED
    return {
        "teacher_id": str(membership.teacher_id),
        "version": membership.version,
        "state": str(membership.state),
        "school_id": None if released else str(membership.school_id),
        "school_name": "" if released else school_name,
        "place": "" if released else membership.place,
        "effective_at": clock.format_instant(membership.changed_at),
    }
