"""Making bills of the choices that still stood when a period closed, and taking lines off again."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from services.billing.bills import queries, rules
from services.billing.bills.actions import changing
from services.billing.bills.models import Bill, Charge
from services.billing.contract.bills import PERIOD_BILLED, BillState, ChargeState
from services.billing.selection import queries as selection
from services.billing.selection.models import Choice, Closing, Offering, Period, Unit
from services.shared import outbox
from services.shared.bus import Call
from services.shared.ids import new_id

log = structlog.get_logger(__name__)

PERIODS_AT_ONCE = 5
CHOICES_AT_ONCE = 500
NO_SCHOOL = "其他"  # the pseudo-school of a county: it has no seal


def make_bills(db: Session, now: dt.datetime) -> int:
    """Bill the next choices of periods whose selection is over, once all of them have arrived. Returns how many."""
    made = 0
    for closing, period in selection.lock_unbilled(db, PERIODS_AT_ONCE):
        if closing.complete_at is None and not _has_all(db, closing):
            continue
        closing.complete_at = closing.complete_at or now
        choices = queries.lock_uncharged(db, period.period_id, CHOICES_AT_ONCE)
        billed = _bill(db, period, choices, now)
        made += billed
        if not choices:
            closing.billed_at = now
            outbox.announce(db, PERIOD_BILLED, period.period_id, {"period_id": str(period.period_id)})
        elif billed < len(choices):
            log.warning("bills_wait", period_id=str(period.period_id), choices=len(choices) - billed)
    return made


def _has_all(db: Session, closing: Closing) -> bool:
    # Billing began once, so all were here; what was learned since (a resync brings the closing back) adds up no more.
    if queries.is_billed(db, closing.period_id):
        return True
    arrived = selection.count_arrived(db, closing.period_id)
    return rules.is_complete(arrived.standing, arrived.void, arrived.versions, closing.choices, closing.versions)


def _bill(db: Session, period: Period, choices: Sequence[Choice], now: dt.datetime) -> int:
    """Put choices on the bills of their schools; those whose offering or units are not known yet wait."""
    offerings = queries.find_offerings(db, {choice.offering_id for choice in choices})
    charging = {offering.charging_unit_id for offering in offerings.values()}
    units = selection.find_units(db, {choice.school_id for choice in choices} | charging)
    ready = [choice for choice in choices if _is_ready(choice, offerings, units)]

    def debtor_and_creditor(choice: Choice) -> tuple[uuid.UUID, uuid.UUID]:
        return choice.school_id, offerings[choice.offering_id].charging_unit_id

    for (_, charging_unit_id), group in itertools.groupby(sorted(ready, key=debtor_and_creditor), debtor_and_creditor):
        _add_lines(db, period, units[charging_unit_id], units, list(group), offerings, now)
    return len(ready)


def _is_ready(choice: Choice, offerings: dict[uuid.UUID, Offering], units: dict[uuid.UUID, Unit]) -> bool:
    offering = offerings.get(choice.offering_id)
    payer_is_known = choice.school_id in units or choice.place.endswith("/other")
    return payer_is_known and offering is not None and offering.charging_unit_id in units


def _add_lines(
    db: Session,
    period: Period,
    payee: Unit,
    units: dict[uuid.UUID, Unit],
    choices: list[Choice],
    offerings: dict[uuid.UUID, Offering],
    now: dt.datetime,
) -> None:
    """The lines of one school to one charging unit: on its open bill, or on a new one."""
    first = choices[0]
    bill = queries.lock_newest_part(db, period.period_id, first.school_id, payee.unit_id)
    if bill is None or bill.state not in (BillState.UNPAID, BillState.NOTICE_PRINTED) or bill.paid:
        bill = _new_bill(db, period, payee, units.get(first.school_id), first, bill.part + 1 if bill else 1, now)
    earlier = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
    added = [_line(bill, choice, offerings[choice.offering_id], now) for choice in choices]
    db.add_all(added)
    changing.announce(db, added)
    changing.refresh(db, bill, [*earlier, *added], now, reworded=bool(earlier))


def _new_bill(
    db: Session, period: Period, payee: Unit, payer: Unit | None, choice: Choice, part: int, now: dt.datetime
) -> Bill:
    number = db.execute(sa.text("SELECT nextval('bill_number')")).scalar_one()
    bill = Bill(
        bill_id=new_id(),
        bill_no=rules.bill_no(period.year, number),
        period_id=period.period_id,
        tier=period.tier,
        school_id=choice.school_id,
        place=payer.place if payer else choice.place,
        payer=payer.seal_name if payer else NO_SCHOOL,
        charging_unit_id=payee.unit_id,
        payee=payee.name,
        keeper_place=period.place,
        part=part,
        amount=rules.ZERO,
        paid=rules.ZERO,
        state=BillState.UNPAID,
        edition=1,
        version=0,
        created_at=now,
    )
    db.add(bill)
    db.flush()
    return bill


def _line(bill: Bill, choice: Choice, offering: Offering, now: dt.datetime) -> Charge:
    amount = rules.amount_due(offering.fee, offering.material_fee, public_course=offering.public_course)
    return Charge(
        choice_id=choice.choice_id,
        bill_id=bill.bill_id,
        teacher_id=choice.teacher_id,
        period_id=choice.period_id,
        offering_id=choice.offering_id,
        place=bill.place,
        keeper_place=bill.keeper_place,
        course_no=offering.course_no,
        title=offering.title,
        hour_type=offering.hour_type,
        course_type=offering.course_type,
        hours=offering.hours,
        fee=offering.fee,
        material_fee=offering.material_fee,
        public_course=offering.public_course,
        amount=amount,
        # What costs nothing is admitted as soon as it is on a bill.
        state=ChargeState.BILLED if amount else ChargeState.ADMITTED,
        version=1,
        billed_at=now,
        changed_at=now,
    )


def take_off(db: Session, choice_id: uuid.UUID, now: dt.datetime) -> None:
    """The charging institution cancelled a choice: its line is void, and what was paid for it is free money of the bill."""
    known = queries.find_charge(db, choice_id)
    if known is None or known.state == ChargeState.VOID:
        return
    bill = queries.lock_bill(db, known.bill_id)
    charges = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
    void_lines(db, changing.itself("take_off", now), bill, charges, {choice_id}, "选课已取消")


def void_lines(
    db: Session, call: Call, bill: Bill, charges: Sequence[Charge], choice_ids: set[uuid.UUID], reason: str
) -> None:
    """Take lines off a locked bill; where nothing is left to pay its teachers' arrears end."""
    gone = [charge for charge in charges if charge.choice_id in choice_ids and charge.state != ChargeState.VOID]
    were_unpaid = [charge for charge in gone if charge.state == ChargeState.UNPAID]
    changing.move(db, gone, ChargeState.VOID, call.now)
    changing.refresh(db, bill, charges, call.now, reworded=True)
    changing.release(db, call, bill, were_unpaid, reason)
    # The money of a bill may now suffice for what is left of it.
    changing.settle(db, call, bill, charges, reason)


def bill_again(db: Session, choice_id: uuid.UUID) -> None:
    """A choice that stands and came after its period had been billed: the period is looked at once more."""
    found = db.execute(
        sa.select(Closing)
        .join(Choice, Choice.period_id == Closing.period_id)
        .where(Choice.choice_id == choice_id, Choice.state == "CHOSEN", Closing.billed_at.is_not(None))
        .with_for_update(of=Closing)
    ).scalar_one_or_none()
    if found is not None and queries.find_charge(db, choice_id) is None:
        found.billed_at = None
        db.flush()
