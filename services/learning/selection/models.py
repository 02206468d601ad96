"""Tables of selection: what the catalogue told, seats, baskets, choices, and what is counted of them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model
from services.shared.employment import EmploymentMixin

_PLACE = sa.Text(collation="C")


# --- projections: what the catalogue and org told ------------------------------------------------------------------------------


class Period(Model):
    """`place`: the city or district whose period it is. The window is half-open."""

    __tablename__ = "period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    title: Mapped[str]
    tier: Mapped[str]
    place: Mapped[str] = mapped_column(_PLACE)
    year: Mapped[int]
    state: Mapped[str]
    selects_from: Mapped[dt.datetime]
    selects_until: Mapped[dt.datetime]
    due_on: Mapped[dt.date]


class Offering(Model):
    """One course in one period. Fees in yuan."""

    __tablename__ = "offering"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    period_id: Mapped[uuid.UUID]
    course_id: Mapped[uuid.UUID]
    course_no: Mapped[str]
    title: Mapped[str]
    hour_type: Mapped[str]
    course_type: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    fee: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    material_fee: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    public_course: Mapped[bool]
    charging_unit_id: Mapped[uuid.UUID]
    charging_place: Mapped[str] = mapped_column(_PLACE)
    capacity: Mapped[int | None]
    audience: Mapped[dict[str, Any]] = mapped_column(JSONB)
    capability: Mapped[bool]
    state: Mapped[str]


class EmploymentStatus(EmploymentMixin, Model):
    """Whether a teacher is on duty, from org."""


# --- our own ------------------------------------------------------------------------------------------------------------


class Seats(Model):
    """How many seats of an offering are taken: the one row that everybody who chooses it has to pass (ADR 0012)."""

    __tablename__ = "seats"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    capacity: Mapped[int | None]
    taken: Mapped[int]


class BasketLine(Model):
    """An offering that a teacher thinks of; it holds no seat."""

    __tablename__ = "basket_line"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    added_at: Mapped[dt.datetime]


class Choice(Model):
    """One row per (teacher, offering), for good. `school_id`, `place`: the unit at the time, which is billed.

    `charge_version`: the last news of billing about it.
    """

    __tablename__ = "choice"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choice_id: Mapped[uuid.UUID]
    period_id: Mapped[uuid.UUID]
    version: Mapped[int]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(_PLACE)
    charging_place: Mapped[str] = mapped_column(_PLACE)
    state: Mapped[str]
    chosen_by: Mapped[str]
    chosen_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    charge_version: Mapped[int]


class ClosedPeriod(Model):
    """A period whose window has ended for good, and what was announced of it."""

    __tablename__ = "closed_period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choices: Mapped[int]
    versions: Mapped[int]
    closed_at: Mapped[dt.datetime]


class ChoiceTotal(Model):
    """How many choices of an offering stand in a state, of teachers whose unit was at a place or below it."""

    __tablename__ = "choice_total"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(_PLACE, primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    period_id: Mapped[uuid.UUID]
    parent: Mapped[str] = mapped_column(_PLACE)
    number: Mapped[int]
