"""The tables of grades and results that learning told."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class _Told:
    """The newest version of what learning told, and what became of its hours."""

    version: Mapped[int]
    passed: Mapped[bool]
    year: Mapped[int]
    state: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class CourseGrade(_Told, Model):
    """The grade of one choice."""

    __tablename__ = "course_grade"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_no: Mapped[str]
    title: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))


class TrainingResult(_Told, Model):
    """The result of one application for special training."""

    __tablename__ = "training_result"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
