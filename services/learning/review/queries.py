"""Selects of reviews, and the one statement that keeps what is held."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.models import Placement, StudySession
from services.learning.review.models import ReviewSitting, ReviewStep, StudyReview
from services.learning.review.rules import HOLDING
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

MISSING = "learning.review_unknown"

Pair = tuple[uuid.UUID, uuid.UUID]  # (teacher, activity)


def lock_review(db: Session, review_id: uuid.UUID) -> StudyReview:
    """Raises NotFound."""
    select = sa.select(StudyReview).where(StudyReview.review_id == review_id).with_for_update()
    review = db.scalars(select.execution_options(populate_existing=True)).one_or_none()
    if review is None:
        raise NotFound(MISSING)
    return review


def find_place(db: Session, teacher_id: uuid.UUID) -> str | None:
    """Where the teacher is now, or None."""
    return db.scalar(sa.select(Placement.place).where(Placement.teacher_id == teacher_id)) or None


def list_reviews(
    db: Session, condition: Any, state: str | None, after: uuid.UUID | None, limit: int
) -> list[StudyReview]:
    """The oldest first."""
    select = sa.select(StudyReview).where(condition)
    if state is not None:
        select = select.where(StudyReview.state == state)
    if after is not None:
        select = select.where(StudyReview.review_id > after)
    return list(db.scalars(select.order_by(StudyReview.review_id).limit(limit)))


def of_teacher(teacher_id: uuid.UUID) -> Any:
    return StudyReview.teacher_id == teacher_id


def at_place(place: str) -> Any:
    """Reviews of the teachers who are there or below now."""
    placed = sa.select(Placement.teacher_id).where(at_or_below(Placement.place, place))
    return StudyReview.teacher_id.in_(placed)


def list_steps(db: Session, review_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[ReviewStep]]:
    """The way of each review, in order."""
    found: dict[uuid.UUID, list[ReviewStep]] = {review_id: [] for review_id in review_ids}
    rows = db.scalars(
        sa.select(ReviewStep).where(ReviewStep.review_id.in_(found)).order_by(ReviewStep.review_id, ReviewStep.position)
    )
    for row in rows:
        found[row.review_id].append(row)
    return found


_HOLD_SITTINGS = sa.text("""
    UPDATE study_session SET held = EXISTS (
        SELECT 1 FROM review_sitting JOIN study_review USING (review_id)
        WHERE review_sitting.study_session_id = study_session.study_session_id AND state = ANY(:holding))
    WHERE study_session_id = ANY(:sittings)
""")
# Of a second that was also earned in a sitting that nobody doubts, nothing is held.
_KEEP_HELD = sa.text("""
    UPDATE watched SET held = watched.countable * (sitting.doubted - sitting.sure)
    FROM (
        SELECT teacher_id, activity_id, coalesce(range_agg(countable) FILTER (WHERE held), '{}') AS doubted,
            coalesce(range_agg(countable) FILTER (WHERE NOT held), '{}') AS sure
        FROM study_session JOIN UNNEST(CAST(:teachers AS uuid[]), CAST(:activities AS uuid[]))
            AS pair (teacher_id, activity_id) USING (teacher_id, activity_id)
        GROUP BY teacher_id, activity_id) AS sitting
    WHERE watched.teacher_id = sitting.teacher_id AND watched.activity_id = sitting.activity_id
""")


def hold_sittings(db: Session, sittings: Collection[uuid.UUID]) -> set[Pair]:
    """Set the sittings' marks by their reviews, and what is held by the marks; returns their (teacher, course) pairs."""
    # Locked in the order of their ids, as the consumer of reports does.
    rows = db.scalars(
        sa.select(StudySession)
        .where(StudySession.study_session_id.in_(sittings))
        .order_by(StudySession.study_session_id)
        .with_for_update()
    ).all()
    db.execute(_HOLD_SITTINGS, {"sittings": list(sittings), "holding": sorted(HOLDING)})
    keep_held(db, {(row.teacher_id, row.activity_id) for row in rows})
    return {(row.teacher_id, row.course_id) for row in rows}


def keep_held(db: Session, pairs: Collection[Pair]) -> None:
    """Work out anew what is held of these (teacher, activity) pairs."""
    if not pairs:
        return
    ordered = sorted(pairs)
    db.execute(
        _KEEP_HELD,
        {"teachers": [teacher_id for teacher_id, _ in ordered], "activities": [activity for _, activity in ordered]},
    )


def list_sittings(db: Session, review_id: uuid.UUID) -> list[uuid.UUID]:
    return list(db.scalars(sa.select(ReviewSitting.study_session_id).where(ReviewSitting.review_id == review_id)))
