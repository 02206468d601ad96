"""The table of grades that learning told."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class CourseGrade(Model):
    """The newest grade of one choice, and what became of its hours."""

    __tablename__ = "course_grade"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    passed: Mapped[bool]
    course_no: Mapped[str]
    title: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    year: Mapped[int]
    state: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
