"""Selects of grades."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.contract.grades import WAITING, GradeState
from services.credits.grades.models import CourseGrade
from services.credits.models import Placement
from services.shared.placement import at_or_below

# As the partial index says it: not as parameters.
_WAITS = CourseGrade.state.in_([sa.literal_column(f"'{state}'") for state in WAITING])


def list_held(
    db: Session, place: str, state: GradeState | None, year: int | None, after: uuid.UUID | None, limit: int
) -> list[CourseGrade]:
    """Those of teachers who are at the place or below it now, in the order of their choices."""
    select = (
        sa.select(CourseGrade)
        .join(Placement, Placement.teacher_id == CourseGrade.teacher_id)
        .where(_WAITS, at_or_below(Placement.place, place))
    )
    if state is not None:
        select = select.where(CourseGrade.state == state)
    if year is not None:
        select = select.where(CourseGrade.year == year)
    if after is not None:
        select = select.where(CourseGrade.choice_id > after)
    return list(db.scalars(select.order_by(CourseGrade.choice_id).limit(limit)))
