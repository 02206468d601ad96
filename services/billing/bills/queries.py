"""Selects of bills, their lines and payments. A bill is always locked before its lines."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.billing import queries as billing_queries
from services.billing.bills.models import Bill, Charge, Notice, Payment
from services.billing.bills.rules import CITY, OPEN
from services.billing.contract.bills import BillState, ChargeState, PaymentState
from services.billing.contract.holds import HoldKind, HoldState
from services.billing.holds.models import Hold
from services.billing.selection.models import Choice, Offering, Period
from services.shared.errors import NotFound

MISSING = "billing.bill_unknown"


@dataclasses.dataclass(frozen=True)
class BillView:
    """A bill with the period it is of."""

    bill: Bill
    period: Period


@dataclasses.dataclass(frozen=True)
class Order:
    """One of a teacher's own choices with what it costs her school and whether that is paid."""

    choice: Choice
    offering: Offering | None
    period: Period | None
    charge: Charge | None


@dataclasses.dataclass(frozen=True)
class BillFilter:
    place: str
    period_id: uuid.UUID | None = None
    state: BillState | None = None
    charging_unit_id: uuid.UUID | None = None


@dataclasses.dataclass(frozen=True)
class LineFilter:
    place: str
    period_id: uuid.UUID | None = None
    state: ChargeState | None = None


@dataclasses.dataclass(frozen=True)
class Overdue:
    """A teacher who owes the city courses of a period and is no special user for them yet."""

    teacher_id: uuid.UUID
    period_id: uuid.UUID
    title: str
    place: str
    courses: int
    amount: Decimal


# --- bills ------------------------------------------------------------------------------------------------------------


def get_bill(db: Session, bill_id: uuid.UUID) -> BillView:
    """Raises NotFound("billing.bill_unknown")."""
    found = db.execute(
        sa.select(Bill, Period).join(Period, Period.period_id == Bill.period_id).where(Bill.bill_id == bill_id)
    ).one_or_none()
    if found is None:
        raise NotFound(MISSING)
    return BillView(*found)


def lock_bill(db: Session, bill_id: uuid.UUID) -> Bill:
    """Raises NotFound("billing.bill_unknown")."""
    found = db.scalars(sa.select(Bill).where(Bill.bill_id == bill_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(MISSING)
    return found


def lock_bills(db: Session, bill_ids: Collection[uuid.UUID]) -> Sequence[Bill]:
    return db.scalars(
        sa.select(Bill).where(Bill.bill_id.in_(list(bill_ids))).order_by(Bill.bill_id).with_for_update()
    ).all()


def find_bill_by_no(db: Session, bill_no: str) -> Bill | None:
    return db.scalars(sa.select(Bill).where(Bill.bill_no == bill_no)).one_or_none()


def lock_newest_part(
    db: Session, period_id: uuid.UUID, school_id: uuid.UUID, charging_unit_id: uuid.UUID
) -> Bill | None:
    return db.scalars(
        sa.select(Bill)
        .where(Bill.period_id == period_id, Bill.school_id == school_id, Bill.charging_unit_id == charging_unit_id)
        .order_by(Bill.part.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def select_bills(wanted: BillFilter) -> Any:
    statement = (
        sa.select(Bill, Period)
        .join(Period, Period.period_id == Bill.period_id)
        .where(_concerning(Bill.place, Bill.keeper_place, wanted.place))
    )
    for column, value in (
        (Bill.period_id, wanted.period_id),
        (Bill.state, wanted.state),
        (Bill.charging_unit_id, wanted.charging_unit_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def find_bills(db: Session, bill_ids: Collection[uuid.UUID]) -> Sequence[Bill]:
    return db.scalars(sa.select(Bill).where(Bill.bill_id.in_(list(bill_ids)))).all()


def list_bills(db: Session, wanted: BillFilter, before: uuid.UUID | None, limit: int) -> list[BillView]:
    """Of the schools at a place and of what its institutions charge, newest first."""
    statement = select_bills(wanted)
    if before is not None:
        statement = statement.where(Bill.bill_id < before)
    return [BillView(*row) for row in db.execute(statement.order_by(Bill.bill_id.desc()).limit(limit))]


def _concerning(place_column: Any, keeper_column: Any, place: str) -> Any:
    """Rows of schools at the place; of a region also what is kept there, wherever the school is now."""
    if billing_queries.is_school(place):
        return place_column == place
    return sa.or_(billing_queries.at_place(place_column, place), keeper_column == place)


# --- lines ------------------------------------------------------------------------------------------------------------


def lock_charges(db: Session, bill_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Charge]]:
    """The lines of bills that are locked already, by bill."""
    rows = db.scalars(
        sa.select(Charge).where(Charge.bill_id.in_(list(bill_ids))).order_by(Charge.choice_id).with_for_update()
    )
    found: dict[uuid.UUID, list[Charge]] = {bill_id: [] for bill_id in bill_ids}
    for charge in rows:
        found[charge.bill_id].append(charge)
    return found


def list_charges(db: Session, bill_id: uuid.UUID) -> Sequence[Charge]:
    """All lines, in the order of the courses."""
    statement = sa.select(Charge).where(Charge.bill_id == bill_id)
    return db.scalars(statement.order_by(Charge.course_no, Charge.choice_id)).all()


def list_lines(
    db: Session, wanted: LineFilter, bill_id: uuid.UUID | None, before: uuid.UUID | None, limit: int
) -> Sequence[tuple[Charge, Period]]:
    """Lines of one bill, or of the schools of a place, newest first (选课录取查询)."""
    statement = select_lines(wanted, bill_id)
    if before is not None:
        statement = statement.where(Charge.choice_id < before)
    return [(charge, period) for charge, period in db.execute(statement.order_by(Charge.choice_id.desc()).limit(limit))]


def select_lines(wanted: LineFilter, bill_id: uuid.UUID | None) -> Any:
    statement = sa.select(Charge, Period).join(Period, Period.period_id == Charge.period_id)
    if bill_id is not None:
        statement = statement.where(Charge.bill_id == bill_id)
    else:
        statement = statement.where(_concerning(Charge.place, Charge.keeper_place, wanted.place))
    if wanted.period_id is not None:
        statement = statement.where(Charge.period_id == wanted.period_id)
    if wanted.state is not None:
        statement = statement.where(Charge.state == wanted.state)
    return statement


def is_billed(db: Session, period_id: uuid.UUID) -> bool:
    """Whether the period has a bill."""
    return bool(db.scalar(sa.select(sa.exists().where(Bill.period_id == period_id))))


def lock_uncharged(db: Session, period_id: uuid.UUID, limit: int) -> Sequence[Choice]:
    """Choices that still stand and are on no bill, school by school. Locked: whoever cancels one now waits for its line."""
    on_a_bill = sa.exists().where(Charge.choice_id == Choice.choice_id)
    return db.scalars(
        sa.select(Choice)
        .where(Choice.period_id == period_id, Choice.state == "CHOSEN", ~on_a_bill)
        .order_by(Choice.school_id, Choice.choice_id)
        .limit(limit)
        .with_for_update()
    ).all()


def find_offerings(db: Session, offering_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Offering]:
    found = db.scalars(sa.select(Offering).where(Offering.offering_id.in_(list(offering_ids))))
    return {offering.offering_id: offering for offering in found}


def find_charge(db: Session, choice_id: uuid.UUID) -> Charge | None:
    return db.get(Charge, choice_id)


def list_overdue_bills(db: Session, today: dt.date, limit: int) -> list[uuid.UUID]:
    """Bills with lines that wait to be paid although the last day is past."""
    return list(
        db.scalars(
            sa.select(Charge.bill_id)
            .join(Period, Period.period_id == Charge.period_id)
            .where(Charge.state == ChargeState.BILLED, Period.due_on < today)
            .distinct()
            .limit(limit)
        )
    )


def list_owing(db: Session, teacher_ids: Collection[uuid.UUID], keeper_place: str) -> set[uuid.UUID]:
    """Who of them still owes the institution there something."""
    return set(
        db.scalars(
            sa.select(Charge.teacher_id)
            .where(
                Charge.keeper_place == keeper_place,
                Charge.teacher_id.in_(list(teacher_ids)),
                Charge.state == ChargeState.UNPAID,
            )
            .distinct()
        )
    )


def list_bills_owed(db: Session, teacher_ids: Collection[uuid.UUID], keeper_place: str) -> list[uuid.UUID]:
    """Bills of the institution there on which these teachers have unpaid lines."""
    return list(
        db.scalars(
            sa.select(Charge.bill_id)
            .where(
                Charge.keeper_place == keeper_place,
                Charge.teacher_id.in_(list(teacher_ids)),
                Charge.state == ChargeState.UNPAID,
            )
            .distinct()
        )
    )


def list_overdue(
    db: Session,
    place: str,
    period_id: uuid.UUID | None,
    after: tuple[uuid.UUID, uuid.UUID] | None,
    limit: int,
    teacher_ids: Collection[uuid.UUID] | None = None,
) -> list[Overdue]:
    """The computed list (`domain.md` §3.13): who owes the city there courses of a period and is no special user yet."""
    special = sa.exists().where(
        Hold.teacher_id == Charge.teacher_id,
        Hold.kind == HoldKind.SPECIAL_USER,
        Hold.state == HoldState.ACTIVE,
        Hold.place == Charge.keeper_place,
    )
    key = (Charge.teacher_id, Charge.period_id)
    statement = (
        sa.select(
            *key,
            Period.title,
            sa.func.max(Charge.place).label("place"),
            sa.func.count().label("courses"),
            sa.func.sum(Charge.amount).label("amount"),
        )
        .join(Period, Period.period_id == Charge.period_id)
        .where(Charge.keeper_place == place, Charge.state == ChargeState.UNPAID, Period.tier == CITY, ~special)
        .group_by(*key, Period.title)
    )
    if period_id is not None:
        statement = statement.where(Charge.period_id == period_id)
    if teacher_ids is not None:
        statement = statement.where(Charge.teacher_id.in_(list(teacher_ids)))
    if after is not None:
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*after))
    return [Overdue(**row) for row in db.execute(statement.order_by(*key).limit(limit)).mappings()]


# --- notices and payments ------------------------------------------------------------------------------------------------


def find_notice(db: Session, bill_id: uuid.UUID, edition: int) -> Notice | None:
    return db.get(Notice, (bill_id, edition))


def lock_payment(db: Session, payment_id: uuid.UUID) -> Payment:
    """Raises NotFound("billing.payment_unknown")."""
    found = db.scalars(sa.select(Payment).where(Payment.payment_id == payment_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFound("billing.payment_unknown")
    return found


def find_payment_of_receipt(db: Session, keeper_place: str, receipt_no: str) -> Payment | None:
    return db.scalars(
        sa.select(Payment).where(Payment.keeper_place == keeper_place, Payment.receipt_no == receipt_no)
    ).one_or_none()


def list_payments(
    db: Session,
    place: str,
    bill_id: uuid.UUID | None,
    state: PaymentState | None,
    before: uuid.UUID | None,
    limit: int,
) -> Sequence[Payment]:
    """Money for the schools of a place, or registered by its institution, newest first."""
    statement = sa.select(Payment).where(_concerning(Payment.place, Payment.keeper_place, place))
    if bill_id is not None:
        statement = statement.where(Payment.bill_id == bill_id)
    if state is not None:
        statement = statement.where(Payment.state == state)
    if before is not None:
        statement = statement.where(Payment.payment_id < before)
    return db.scalars(statement.order_by(Payment.payment_id.desc()).limit(limit)).all()


# --- orders ----------------------------------------------------------------------------------------------------------------


def list_orders(db: Session, teacher_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Order]:
    """A person's own choices, newest first, also under an account that was merged into hers."""
    mine = list(billing_queries.list_accounts_of(db, [teacher_id]))
    statement = (
        sa.select(Choice, Offering, Period, Charge)
        .outerjoin(Offering, Offering.offering_id == Choice.offering_id)
        .outerjoin(Period, Period.period_id == Choice.period_id)
        .outerjoin(Charge, Charge.choice_id == Choice.choice_id)
        .where(Choice.teacher_id.in_(mine))
    )
    if before is not None:
        statement = statement.where(Choice.choice_id < before)
    return [Order(*row) for row in db.execute(statement.order_by(Choice.choice_id.desc()).limit(limit))]


def sum_open(db: Session, teacher_id: uuid.UUID) -> Sequence[Any]:
    """What of a person's own courses is not paid yet: by state, how many, their hours, their fees."""
    mine = list(billing_queries.list_accounts_of(db, [teacher_id]))
    return db.execute(
        sa.select(
            Charge.state,
            sa.func.count().label("courses"),
            sa.func.sum(Charge.hours).label("hours"),
            sa.func.sum(Charge.amount).label("amount"),
        )
        .where(Charge.teacher_id.in_(mine), Charge.state.in_(sorted(OPEN)))
        .group_by(Charge.state)
    ).all()
