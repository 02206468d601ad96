"""Tables of periods and offerings."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.courses.models import CourseFacts, Place, Words
from services.catalog.models import Model


class Period(Model):
    """One period of a city or a district; `place` is that city or district."""

    __tablename__ = "period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    title: Mapped[str]
    tier: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    year: Mapped[int]
    state: Mapped[str]
    selects_from: Mapped[dt.datetime]
    selects_until: Mapped[dt.datetime]  # the first instant that no longer counts
    due_on: Mapped[dt.date]
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class Offering(CourseFacts, Model):
    """A course in a period, as the course was when the period was published: later versions of it are for later periods."""

    __tablename__ = "offering"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    period_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("period.period_id"))
    tier: Mapped[str]
    place: Mapped[str] = mapped_column(Place)  # of the period
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.course_id"))
    course_version: Mapped[int]
    applicant_place: Mapped[str] = mapped_column(Place)
    charging_place: Mapped[str] = mapped_column(Place)
    capacity: Mapped[int | None]
    audience: Mapped[dict[str, Any]]
    state: Mapped[str]
    tokens: Mapped[list[str]] = mapped_column(Words)  # of title, lecturer and number, for the search
    # Counted from choices and ratings (`shelf/`), no part of any version.
    chosen: Mapped[int] = mapped_column(default=0)
    ratings: Mapped[int] = mapped_column(default=0)  # of the course, in whichever period it was passed
    stars: Mapped[int] = mapped_column(default=0)  # their sum
    score: Mapped[Decimal] = mapped_column(sa.Numeric(4, 2), sa.Computed("", persisted=True))
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class OfferingVersion(Model):
    """One announced state of an offering, kept for ever."""

    __tablename__ = "offering_version"

    offering_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("offering.offering_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    content: Mapped[dict[str, Any]]
    published_by: Mapped[str]
    published_at: Mapped[dt.datetime]
