"""Tables of bills. The constraints that hold them together stand in the migration."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.models import Model, Place


class Bill(Model):
    """What one school owes to one charging unit for one period; `part` counts further bills of the same three.

    `place` is the school's when the bill was made, `keeper_place` the city's or district's, which registers the payments.
    `amount` is the sum of the lines that are not void, `paid` of all money that came for it. `edition` grows whenever the
    lines change; the notice that fits them is of that edition.
    """

    __tablename__ = "bill"

    bill_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bill_no: Mapped[str] = mapped_column(sa.Text(collation="C"))
    period_id: Mapped[uuid.UUID]
    tier: Mapped[str]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    payer: Mapped[str]  # the name on the school's seal
    charging_unit_id: Mapped[uuid.UUID]
    payee: Mapped[str]
    keeper_place: Mapped[str] = mapped_column(Place)
    part: Mapped[int]
    amount: Mapped[Decimal]
    paid: Mapped[Decimal]
    state: Mapped[str]
    edition: Mapped[int]
    printed_edition: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    paid_at: Mapped[dt.datetime | None]


class Charge(Model):
    """One line of a bill: what one choice costs, and whether it is paid. The course as it was when the bill was made."""

    __tablename__ = "charge"

    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bill_id: Mapped[uuid.UUID]
    teacher_id: Mapped[uuid.UUID]
    period_id: Mapped[uuid.UUID]
    offering_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    keeper_place: Mapped[str] = mapped_column(Place)
    course_no: Mapped[str]
    title: Mapped[str]
    hour_type: Mapped[str]
    course_type: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    fee: Mapped[Decimal]
    material_fee: Mapped[Decimal]
    public_course: Mapped[bool]
    amount: Mapped[Decimal]  # of both fees, what goes through the bill
    state: Mapped[str]
    version: Mapped[int]
    billed_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class Notice(Model):
    """A payment notice as it was printed; printing the same edition again gives the same page."""

    __tablename__ = "notice"

    bill_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    keeper_place: Mapped[str] = mapped_column(Place)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    printed_by: Mapped[str]
    printed_at: Mapped[dt.datetime]


class Payment(Model):
    """Money that came, or was given back (negative); only added to, and assigned once. `bill_id` is null while it fits no bill."""

    __tablename__ = "payment"

    payment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bill_id: Mapped[uuid.UUID | None]
    bill_no: Mapped[str]  # as it was given
    place: Mapped[str] = mapped_column(Place)  # the school's; "" while it fits no bill
    keeper_place: Mapped[str] = mapped_column(Place)
    amount: Mapped[Decimal]
    receipt_no: Mapped[str]  # of the non-tax system 非税收入票据号
    paid_on: Mapped[dt.date] = mapped_column(sa.Date)
    payer: Mapped[str]
    source: Mapped[str]
    state: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[dt.datetime]
