"""Facts of catalog, learning and org that bills are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.models import Model, Place


class Period(Model):
    """A period (期), from catalog. `place`: the city or district whose it is."""

    __tablename__ = "period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    title: Mapped[str]
    tier: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    year: Mapped[int]
    state: Mapped[str]
    due_on: Mapped[dt.date] = mapped_column(sa.Date)  # the last day to pay


class Offering(Model):
    """A course as it is offered in a period, from catalog, as far as it is paid for."""

    __tablename__ = "offering"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    period_id: Mapped[uuid.UUID]
    course_no: Mapped[str]
    title: Mapped[str]
    hour_type: Mapped[str]
    course_type: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    fee: Mapped[Decimal]
    material_fee: Mapped[Decimal]
    public_course: Mapped[bool]
    charging_unit_id: Mapped[uuid.UUID]
    charging_place: Mapped[str] = mapped_column(Place)


class Choice(Model):
    """One teacher's choice of one offering, from learning. `school_id`, `place`: her unit at the time, which is billed."""

    __tablename__ = "choice"

    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    teacher_id: Mapped[uuid.UUID]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    offering_id: Mapped[uuid.UUID]
    period_id: Mapped[uuid.UUID]
    state: Mapped[str]
    chosen_at: Mapped[dt.datetime]


class Closing(Model):
    """Learning's word that selection of a period is over, and how far billing has come since.

    `choices` were still CHOSEN, `versions` was the sum of all versions. `complete_at`: all of them are here; `billed_at`: each
    has its line.
    """

    __tablename__ = "closing"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    choices: Mapped[int]
    versions: Mapped[int] = mapped_column(sa.BigInteger)
    complete_at: Mapped[dt.datetime | None]
    billed_at: Mapped[dt.datetime | None]


class Unit(Model):
    """A school or institution, from org: who pays, by the name on its seal, and who charges."""

    __tablename__ = "unit"

    unit_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    seal_name: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
