"""Stars: one rating of a course by each who has passed it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.courses.queries import lock_course
from services.catalog.periods.models import Offering
from services.catalog.periods.queries import get_offering
from services.catalog.shelf import queries, rules
from services.catalog.shelf.models import Rating
from services.shared.bus import Call


def rate_offering(db: Session, call: Call, offering_id: uuid.UUID, stars: int) -> dict[str, Any]:
    """Say what the course was worth; whoever says it again replaces the own word.

    Raises NotAllowed("catalog.not_passed") for who has not passed it, NotFound for an offering that nobody knows.
    """
    teacher_id = call.authorise_own()
    offering = get_offering(db, offering_id)
    # Everybody's stars for a course are added up under its row.
    course = lock_course(db, offering.course_id)
    rules.require_passed(queries.states_of(db, teacher_id, course.course_id))
    rating = queries.find_rating(db, course.course_id, teacher_id)
    before = rating.stars if rating is not None else 0
    if rating is None:
        rating = Rating(course_id=course.course_id, teacher_id=teacher_id)
        db.add(rating)
    rating.offering_id, rating.stars, rating.rated_at = offering_id, stars, call.now
    db.flush()
    counted = sa.update(Offering).where(Offering.course_id == course.course_id)
    new = 0 if before else 1
    db.execute(counted.values(ratings=Offering.ratings + new, stars=Offering.stars + stars - before))
    db.refresh(offering)
    return {
        "offering_id": offering_id,
        "course_id": course.course_id,
        "stars": stars,
        "ratings": offering.ratings,
        "average_stars": average(offering),
    }


def average(offering: Offering) -> str | None:
    """Of all ratings, one decimal; None before the first."""
    return f"{offering.stars / offering.ratings:.1f}" if offering.ratings else None
