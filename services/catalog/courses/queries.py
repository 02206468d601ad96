"""Selects of courses and of the units that they name."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.contract.courses import CourseState
from services.catalog.courses.models import Course, CourseVersion, Unit
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

NOT_FOUND = "catalog.course_unknown"
LIVING = ("DRAFT", "ACTIVE", "SUSPENDED")  # a unit of org that has not ended


def get_course(db: Session, course_id: uuid.UUID) -> Course:
    """Raises NotFound("catalog.course_unknown")."""
    if (course := db.get(Course, course_id)) is None:
        raise NotFound(NOT_FOUND, "course_id")
    return course


def lock_course(db: Session, course_id: uuid.UUID) -> Course:
    """As `get_course`; nobody else changes it before this transaction ends."""
    course = db.scalars(sa.select(Course).where(Course.course_id == course_id).with_for_update()).one_or_none()
    if course is None:
        raise NotFound(NOT_FOUND, "course_id")
    return course


def find_courses(db: Session, course_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Course]:
    """Locked for sharing: what is offered is what they are at the commit."""
    select = sa.select(Course).where(Course.course_id.in_(course_ids)).order_by(Course.course_id)
    return {course.course_id: course for course in db.scalars(select.with_for_update(read=True))}


def list_courses(
    db: Session, place: str, state: CourseState | None, course_no: str, before: uuid.UUID | None, limit: int
) -> list[Course]:
    """Kept at a place or below it, newest first."""
    select = sa.select(Course).where(at_or_below(Course.place, place))
    if state is not None:
        select = select.where(Course.state == state)
    if course_no:
        select = select.where(Course.course_no == course_no)
    if before is not None:
        select = select.where(Course.course_id < before)
    return list(db.scalars(select.order_by(Course.course_id.desc()).limit(limit)))


def list_versions(db: Session, course_id: uuid.UUID) -> Sequence[CourseVersion]:
    select = sa.select(CourseVersion).where(CourseVersion.course_id == course_id)
    return db.scalars(select.order_by(CourseVersion.version.desc())).all()


def find_units(db: Session, unit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Unit]:
    return {unit.unit_id: unit for unit in db.scalars(sa.select(Unit).where(Unit.unit_id.in_(set(unit_ids))))}
