"""The table of grades: one row per graded choice as it stands, and every grade that was ever entered."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model


class CourseGrade(Model):
    """`version` is that of the last `learning.course_graded`; it grows only when the grade does change."""

    __tablename__ = "course_grade"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    offering_id: Mapped[uuid.UUID]
    version: Mapped[int]
    passed: Mapped[bool]
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 1))
    graded_at: Mapped[dt.datetime]


class GradeStep(Model):
    """One grade that was entered: by whom, when, and why it was changed; only added to."""

    __tablename__ = "grade_step"

    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    passed: Mapped[bool]
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(4, 1))
    reason: Mapped[str]
    by: Mapped[uuid.UUID] = mapped_column("by")
    at: Mapped[dt.datetime]
