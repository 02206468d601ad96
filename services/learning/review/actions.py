"""Reviewing conspicuous study: hold what was found as pending, decide, appeal, decide once more."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.contract.reviews import ReviewState
from services.learning.review import detection, queries, rules
from services.learning.review.detection import Finding, Look
from services.learning.review.models import (
    DayRhythm,
    InspectedDay,
    InspectedPiece,
    ReviewSitting,
    ReviewStep,
    StudyReview,
)
from services.learning.review.rules import ReviewAct
from services.learning.study.actions.evidence import announce_progress
from services.shared import audit, clock
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id

# The last report of a day may come this late; a report that comes later still belongs to no day that was not looked at.
SETTLED_AFTER = dt.timedelta(hours=1)
LOOK_BACK_DAYS = 7
# Findings kept in one transaction: what it locks, and what is lost when it dies, stays small on the worst of days.
FINDINGS_AT_ONCE = 100


def next_day(db: Session, now: dt.datetime) -> dt.date | None:
    """The oldest day of the last week that is over and was not looked at yet."""
    last = (now - SETTLED_AFTER).astimezone(clock.BEIJING).date() - dt.timedelta(days=1)
    days = [last - dt.timedelta(days=back) for back in reversed(range(LOOK_BACK_DAYS))]
    done = set(db.scalars(sa.select(InspectedDay.day).where(InspectedDay.day.in_(days))))
    return next((day for day in days if day not in done), None)


def next_piece(db: Session, day: dt.date) -> tuple[Look, int] | None:
    """The first piece of the day that was not looked at yet."""
    select = sa.select(InspectedPiece.look, InspectedPiece.piece).where(InspectedPiece.day == day)
    done = {(row.look, row.piece) for row in db.execute(select)}
    pieces = ((look, piece) for look in Look for piece in range(detection.PIECES))
    return next((each for each in pieces if each not in done), None)


def keep_findings(db: Session, findings: Sequence[Finding], day: dt.date, now: dt.datetime) -> int:
    """Open a review for each finding, and hold its time as pending; how many are new, or hold more than before.

    A bounded slice of a piece's findings. What an earlier run has kept already changes nothing, so a run may die
    between any two slices and begin its piece once more.
    """
    changed = 0
    sittings: set[uuid.UUID] = set()
    for finding in findings:
        added = _open_review(db, finding, day, now)
        changed += bool(added)
        sittings |= added
    if sittings:
        announce_progress(db, queries.hold_sittings(db, sittings))
    return changed


def finish_piece(db: Session, day: dt.date, look: Look, piece: int) -> None:
    if look is Look.TEACHERS:
        detection.note_rhythms(db, day, piece)
    db.execute(insert(InspectedPiece).values(day=day, look=look, piece=piece).on_conflict_do_nothing())


def finish_day(db: Session, day: dt.date, now: dt.datetime) -> None:
    """Every piece was looked at: note the day, and forget what was noted on the way."""
    db.execute(insert(InspectedDay).values(day=day, inspected_at=now).on_conflict_do_nothing())
    db.execute(sa.delete(InspectedPiece).where(InspectedPiece.day == day))
    db.execute(sa.delete(DayRhythm).where(DayRhythm.day == day))


def _open_review(db: Session, finding: Finding, day: dt.date, now: dt.datetime) -> set[uuid.UUID]:
    """The sittings that a review of the finding holds now and did not before.

    Of a teacher found at devices of two pieces there is one review, which takes in the second piece's sittings; one that
    somebody has decided takes in nothing.
    """
    db.execute(
        insert(StudyReview)
        .values(
            review_id=new_id(),
            teacher_id=finding.teacher_id,
            anomaly=finding.anomaly,
            studied_on=day,
            found={**finding.figures, "sittings": 0},
            state=ReviewState.PENDING,
            decided_by=None,
            found_at=now,
            changed_at=now,
        )
        .on_conflict_do_nothing()
    )
    review = db.scalars(
        sa.select(StudyReview)
        .where(
            StudyReview.teacher_id == finding.teacher_id,
            StudyReview.anomaly == finding.anomaly,
            StudyReview.studied_on == day,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if review.state != ReviewState.PENDING:
        return set()
    rows = [
        {"review_id": review.review_id, "study_session_id": sitting, "teacher_id": finding.teacher_id}
        for sitting in finding.sittings
    ]
    added = set(
        db.scalars(
            insert(ReviewSitting).values(rows).on_conflict_do_nothing().returning(ReviewSitting.study_session_id)
        )
    )
    if added:
        review.found = {**review.found, **finding.figures, "sittings": review.found["sittings"] + len(added)}
        db.flush()
    return added


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
