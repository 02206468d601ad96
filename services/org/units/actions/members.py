"""A school's teachers when something becomes of the school: they follow it, or are let go. Few statements for many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org.actions.memberships import announce_all
from services.org.contract import MembershipState
from services.org.contract.staffing import Employment
from services.org.models import Membership, MembershipPeriod, School
from services.org.units import queries
from services.org.units.rules.lifecycle import Cause
from services.shared import audit
from services.shared.bus import Call
from services.shared.ids import new_id

PRESENT = (MembershipState.PENDING, MembershipState.VERIFIED)


def follow_school(db: Session, call: Call, before: str, school: School, cause: Cause) -> int:
    """Whoever waits at or belongs to the place `before` is at `school` from now on, as sure as she was.

    Each stay is closed and a new one opened, so that hours keep the place where they were earned.
    """
    followed = _update(
        db,
        before,
        PRESENT,
        {"school_id": school.school_id, "place": school.place, "changed_at": call.now},
    )
    _reopen_periods(db, call, followed, school, cause)
    announce_all(db, [(membership, school.name) for membership in followed])
    return len(followed)


def follow_place(db: Session, call: Call, before: str, school: School) -> None:
    """Whom the school rejected or released stays in its reach when it moves: it still finds them."""
    rejected = _update(
        db,
        before,
        (MembershipState.REJECTED,),
        {"place": school.place, "changed_at": call.now},
    )
    announce_all(db, [(membership, school.name) for membership in rejected])
    queries.move_released(db, before, school.place)


def tell_name(db: Session, school: School) -> None:
    """A renamed school: who carries its name elsewhere learns the new one. Since when she is there does not change."""
    told = _update(db, school.place, (*PRESENT, MembershipState.REJECTED), {})
    announce_all(db, [(membership, school.name) for membership in told])


def count_on_duty(db: Session, school: School) -> int:
    """Verified teachers who are not archived. All who are there stay locked: nobody is verified or restored after this."""
    return sum(
        membership.state == MembershipState.VERIFIED and membership.employment == Employment.ON_DUTY
        for membership in queries.lock_members(db, school.place, PRESENT)
    )


def let_go(db: Session, call: Call, school: School, reason: str) -> None:
    """A school that closes: who waits is rejected and chooses another one; who is archived there belongs nowhere."""
    for state, after in (
        (MembershipState.PENDING, MembershipState.REJECTED),
        (MembershipState.VERIFIED, MembershipState.RELEASED),
    ):
        gone = _update(
            db,
            school.place,
            (state,),
            {"state": after, "reason": reason, "changed_at": call.now},
        )
        _close_periods(db, call, gone, Cause.SCHOOL_CLOSED)
        announce_all(db, [(membership, school.name) for membership in gone])
        audit.record_many(
            db,
            call,
            [
                audit.Act(membership.teacher_id, school.place, reason, {"state": str(state)}, {"state": str(after)})
                for membership in gone
            ],
        )


def _update(db: Session, place: str, states: Collection[str], values: dict[str, Any]) -> Sequence[Membership]:
    """Change these memberships in one statement, one version further; returns them as they are then."""
    # Locked in the order that everybody locks in: two acts on many teachers must not wait for each other.
    locked = [membership.teacher_id for membership in queries.lock_members(db, place, states)]
    if not locked:
        return ()
    statement = (
        sa.update(Membership)
        .where(Membership.teacher_id.in_(locked))
        .values(version=Membership.version + 1, **values)
        .returning(Membership)
    )
    options = {"populate_existing": True, "synchronize_session": False}
    return db.scalars(statement, execution_options=options).all()


def _close_periods(db: Session, call: Call, members: Sequence[Membership], cause: Cause) -> Sequence[Any]:
    """(teacher, verified at) of the stays that this ends."""
    ids = [membership.teacher_id for membership in members]
    if not ids:
        return ()
    return db.execute(
        sa.update(MembershipPeriod)
        .where(MembershipPeriod.teacher_id.in_(ids), MembershipPeriod.closed_at.is_(None))
        .values(closed_at=call.now, closed_by=cause)
        .returning(MembershipPeriod.teacher_id, MembershipPeriod.verified_at),
        execution_options={"synchronize_session": False},
    ).all()


def _reopen_periods(db: Session, call: Call, members: Sequence[Membership], school: School, cause: Cause) -> None:
    rows = [
        {
            "period_id": new_id(),
            "teacher_id": teacher_id,
            "school_id": school.school_id,
            "place": school.place,
            "opened_by": cause,
            "opened_at": call.now,
            "verified_at": verified_at,
        }
        for teacher_id, verified_at in _close_periods(db, call, members, cause)
    ]
    if rows:
        db.execute(sa.insert(MembershipPeriod), rows)
