"""Tables of courses, and the projection of org's units that they name."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.models import Model

Place = sa.Text(collation="C")
Words = ARRAY(sa.Text)


class Unit(Model):
    """A school or institution as org tells it: who applies for courses, and who charges for them."""

    __tablename__ = "unit"

    unit_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    kind: Mapped[str]
    state: Mapped[str]


class CourseFacts:
    """What a course is, as an offering keeps it from the day on which it was offered."""

    course_no: Mapped[str]
    title: Mapped[str]
    lecturer: Mapped[str]
    hour_type: Mapped[str]
    course_type: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    fee: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))  # yuan
    material_fee: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    capability_class: Mapped[str | None]
    subjects: Mapped[list[str]] = mapped_column(Words)
    segments: Mapped[list[str]] = mapped_column(Words)
    terminals: Mapped[list[str]] = mapped_column(Words)
    applicant_unit_id: Mapped[uuid.UUID]
    charging_unit_id: Mapped[uuid.UUID]
    summary: Mapped[str]
    series: Mapped[str]  # 微课程系列, for display only; "" of a course that stands alone (S3:1073)


class Course(CourseFacts, Model):
    """A course's present; `place` is where its record is kept: a city, a district, or an institution's own."""

    __tablename__ = "course"

    course_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class CourseVersion(Model):
    """One state of a course, kept for ever."""

    __tablename__ = "course_version"

    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.course_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    content: Mapped[dict[str, Any]]
    published_by: Mapped[str]
    published_at: Mapped[dt.datetime]


FACTS = (
    "course_no",
    "title",
    "lecturer",
    "hour_type",
    "course_type",
    "hours",
    "fee",
    "material_fee",
    "capability_class",
    "subjects",
    "segments",
    "terminals",
    "applicant_unit_id",
    "charging_unit_id",
    "series",
    "summary",
)
