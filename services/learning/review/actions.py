"""Reviewing conspicuous study: hold what was found as pending, decide, appeal, decide once more."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.contract.reviews import ReviewState
from services.learning.review import detection, queries, rules
from services.learning.review.detection import Finding
from services.learning.review.models import InspectedDay, ReviewSitting, ReviewStep, StudyReview
from services.learning.review.rules import ReviewAct
from services.learning.study.actions.evidence import announce_progress
from services.shared import audit, clock
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id

# The last report of a day may come this late; a report that comes later still belongs to no day that was not looked at.
SETTLED_AFTER = dt.timedelta(hours=1)
LOOK_BACK_DAYS = 7


def next_day(db: Session, now: dt.datetime) -> dt.date | None:
    """The oldest day of the last week that is over and was not looked at yet."""
    last = (now - SETTLED_AFTER).astimezone(clock.BEIJING).date() - dt.timedelta(days=1)
    days = [last - dt.timedelta(days=back) for back in reversed(range(LOOK_BACK_DAYS))]
    done = set(db.scalars(sa.select(InspectedDay.day).where(InspectedDay.day.in_(days))))
    return next((day for day in days if day not in done), None)


def inspect_day(db: Session, day: dt.date, now: dt.datetime) -> int:
    """Open a review for each finding of the day, and hold its time as pending; returns how many are new."""
    opened = 0
    sittings: set[uuid.UUID] = set()
    for finding in detection.find_anomalies(db, day):
        if _open_review(db, finding, day, now):
            opened += 1
            sittings |= set(finding.sittings)
    if sittings:
        announce_progress(db, queries.hold_sittings(db, sittings))
    db.execute(insert(InspectedDay).values(day=day, inspected_at=now).on_conflict_do_nothing())
    return opened


def _open_review(db: Session, finding: Finding, day: dt.date, now: dt.datetime) -> bool:
    review_id = db.scalar(
        insert(StudyReview)
        .values(
            review_id=new_id(),
            teacher_id=finding.teacher_id,
            anomaly=finding.anomaly,
            studied_on=day,
            found={**finding.figures, "sittings": len(finding.sittings)},
            state=ReviewState.PENDING,
            decided_by=None,
            found_at=now,
            changed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(StudyReview.review_id)
    )
    if review_id is None:
        return False
    rows = [
        {"review_id": review_id, "study_session_id": sitting, "teacher_id": finding.teacher_id}
        for sitting in finding.sittings
    ]
    db.execute(sa.insert(ReviewSitting), rows)
    return True


def decide_review(db: Session, call: Call, review_id: uuid.UUID, upheld: bool, reason: str) -> dict[str, Any]:
    """Clear the study of doubt, or uphold the finding; after an appeal, for good.

    Raises NotFound outside the territory, NotAllowed for the teacher's own and for an appeal against oneself, Conflict
    for a review that waits for no decision.
    """
    review = queries.lock_review(db, review_id)
    call.authorise(place=queries.find_place(db, review.teacher_id), missing=queries.MISSING)
    if not rules.may_decide(call.actor.account_id, review.teacher_id, review.decided_by):
        raise NotAllowed("learning.review_by_another")
    before = review.state
    _move(db, call, review, ReviewAct.UPHOLD if upheld else ReviewAct.CLEAR, reason)
    review.decided_by = call.actor.account_id
    db.flush()
    if review.state == ReviewState.CLEARED:
        announce_progress(db, queries.hold_sittings(db, queries.list_sittings(db, review_id)))
    audit.record(
        db,
        call,
        subject=review.teacher_id,
        place=queries.find_place(db, review.teacher_id) or "",
        reason=reason,
        before={"review_id": str(review_id), "state": before},
        after={"review_id": str(review_id), "state": review.state},
    )
    return describe(review, queries.list_steps(db, [review_id])[review_id])


def appeal_review(db: Session, call: Call, review_id: uuid.UUID, reason: str) -> dict[str, Any]:
    """The teacher says why the finding is wrong; somebody else looks at it once more. Once per review."""
    review = queries.lock_review(db, review_id)
    call.authorise(subject=review.teacher_id, missing=queries.MISSING)
    _move(db, call, review, ReviewAct.APPEAL, reason)
    db.flush()
    return describe(review, queries.list_steps(db, [review_id])[review_id])


def _move(db: Session, call: Call, review: StudyReview, act: ReviewAct, reason: str) -> None:
    state = rules.next_state(ReviewState(review.state), act)
    if state is None:
        raise Conflict("learning.review_state")
    review.state, review.changed_at = state, call.now
    taken = db.scalar(sa.select(sa.func.count()).where(ReviewStep.review_id == review.review_id)) or 0
    db.add(
        ReviewStep(
            review_id=review.review_id,
            position=taken + 1,
            teacher_id=review.teacher_id,
            act=act,
            state=state,
            by=call.actor.account_id,
            reason=reason,
            at=call.now,
        )
    )


def describe(review: StudyReview, steps: list[ReviewStep]) -> dict[str, Any]:
    return {**{name: getattr(review, name) for name in _SHOWN}, "steps": steps}


def describe_many(db: Session, reviews: list[StudyReview]) -> list[dict[str, Any]]:
    steps = queries.list_steps(db, [review.review_id for review in reviews])
    return [describe(review, steps[review.review_id]) for review in reviews]


_SHOWN = ("review_id", "teacher_id", "anomaly", "studied_on", "found", "state", "found_at", "changed_at")
