"""Tables of special training: projects as the catalogue told them, applications with their steps, classes, results."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model

_PLACE = sa.Text(collation="C")


class TrainingProject(Model):
    """A project as the catalogue told it: what decides, and the whole of it (`content`) as it is shown."""

    __tablename__ = "training_project"

    project_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    place: Mapped[str] = mapped_column(_PLACE)
    shown_at: Mapped[str] = mapped_column(_PLACE)
    institution_place: Mapped[str] = mapped_column(_PLACE)
    title: Mapped[str]
    hour_type: Mapped[str]
    course_type: Mapped[str]
    unit: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    applies_from: Mapped[dt.datetime]
    applies_until: Mapped[dt.datetime]
    capacity: Mapped[int | None]
    audience: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]


class TrainingClass(Model):
    """The class of a project: how many are in it, and its notice 开班通知 (none before `noticed_at`)."""

    __tablename__ = "training_class"

    project_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    admitted: Mapped[int]
    notice_title: Mapped[str]
    notice: Mapped[str]
    noticed_at: Mapped[dt.datetime | None]


class TrainingApplication(Model):
    """One row per (teacher, project), for good. `school_id`, `place`: the unit when she applied."""

    __tablename__ = "training_application"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID]
    version: Mapped[int]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(_PLACE)
    state: Mapped[str]
    statement: Mapped[str]
    applied_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class TrainingStep(Model):
    """One step of an application: what it became, by whom, with which opinion or reason; only added to."""

    __tablename__ = "training_step"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    project_id: Mapped[uuid.UUID]
    state: Mapped[str]
    reason: Mapped[str]
    by: Mapped[uuid.UUID | None] = mapped_column("by")  # None: the service, following the catalogue
    at: Mapped[dt.datetime]


class ClassSession(Model):
    """One line of a class's timetable 课程安排; with a spot where the session asks people to be near it."""

    __tablename__ = "class_session"

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID]
    title: Mapped[str]
    lecturer: Mapped[str]
    venue: Mapped[str]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius_metres: Mapped[int | None]


class CheckInSecret(Model):
    """What the changing code of a session is made from; shown to its institution's rights alone."""

    __tablename__ = "check_in_secret"

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID]
    secret: Mapped[bytes]


class Attendance(Model):
    """One teacher at one session: when she checked in, or only how many wrong codes she gave. No position is kept."""

    __tablename__ = "attendance"

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID]
    wrong_codes: Mapped[int]
    checked_in_at: Mapped[dt.datetime | None]
    by_institution: Mapped[bool]


class TrainingGrade(Model):
    """The result as it stands. `version` is that of the last `learning.training_graded`; `year` as it was when entered."""

    __tablename__ = "training_grade"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID]
    version: Mapped[int]
    passed: Mapped[bool]
    year: Mapped[int]
    graded_at: Mapped[dt.datetime]
