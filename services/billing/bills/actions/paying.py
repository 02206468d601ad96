"""Money: registering it, assigning what fits no bill, settling lines by name, giving back what was too much.

Every amount that came stays in the books: nothing here takes a payment out, or makes it smaller.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.billing.bills import queries, rules
from services.billing.bills.actions import changing
from services.billing.bills.models import Bill, Charge, Payment
from services.billing.contract.bills import PaymentSource, PaymentState
from services.shared import audit
from services.shared.actor import Grant, Role, covers
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id

REASON = "已缴费"
# Whose books they are: the city's courses are the city centre's, a district's its institution's (S3:164, S3:167).
KEEPERS = {"CITY": Role.CITY_CENTRE, "DISTRICT": Role.DISTRICT_INSTITUTION}


def register_payment(db: Session, call: Call, given: dict[str, Any]) -> Payment:
    """Write down by hand that money came for a bill, and admit what it pays for.

    With `choice_ids` those lines, otherwise all once the money suffices for all of them.

    Raises NotFound for a bill that is out of reach, NotAllowed for another institution's, Conflict for a receipt that is
    registered already and for lines that the money does not cover.
    """
    bill = _kept_bill(db, call, given["bill_id"])
    amount = rules.require_amount(given["amount"])
    rules.require_past(given["paid_on"], call.now)
    _require_new_receipt(db, bill.keeper_place, given["receipt_no"])
    charges = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
    payment = _add(db, call, bill, charges, amount, given, PaymentSource.HAND)
    named = given.get("choice_ids") or []
    if named:
        lines = changing.lines_of(charges)
        rules.require_settleable(lines, bill.paid, named)
        changing.admit(db, call, bill, charges, set(named), REASON)
    else:
        changing.settle(db, call, bill, charges, REASON)
    _record(db, call, bill, payment)
    return payment


def take_bank_row(db: Session, call: Call, keeper: Grant, row: dict[str, Any]) -> tuple[Payment, bool]:
    """One line of a bank's file: the payment it became, and whether it is new. The same receipt again changes nothing.

    Raises Conflict("billing.receipt_known") when the receipt is registered with another amount or for another notice.
    """
    rules.require_past(row["paid_on"], call.now)
    bill = queries.find_bill_by_no(db, row["bill_no"])
    if bill is not None and (bill.keeper_place != keeper.place or KEEPERS[bill.tier] is not keeper.role):
        bill = None  # another institution's: here it is money of an unknown notice
    known = queries.find_payment_of_receipt(db, keeper.place, row["receipt_no"])
    if known is not None:
        if (known.amount, known.bill_no) != (row["amount"], row["bill_no"]):
            raise Conflict("billing.receipt_known", "receipt_no")
        return known, False
    if bill is None:
        payment = _unknown(db, call, keeper.place, row)
    else:
        bill = queries.lock_bill(db, bill.bill_id)
        charges = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
        payment = _add(db, call, bill, charges, row["amount"], row, PaymentSource.BANK_FILE)
        changing.settle(db, call, bill, charges, REASON)
    _record(db, call, bill, payment)
    return payment, True


def assign_payment(db: Session, call: Call, payment_id: uuid.UUID, bill_id: uuid.UUID) -> Payment:
    """Say which bill money of an unknown notice was meant for.

    Raises NotFound for either out of reach, Conflict("billing.payment_assigned") for money that has its bill.
    """
    bill = _kept_bill(db, call, bill_id)
    payment = queries.lock_payment(db, payment_id)
    if payment.keeper_place != bill.keeper_place:
        raise NotFound("billing.payment_unknown")
    if payment.bill_id is not None:
        raise Conflict("billing.payment_assigned")
    charges = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
    payment.state = rules.fit_of(changing.lines_of(charges), bill.paid, payment.amount)
    payment.bill_id, payment.place = bill.bill_id, bill.place
    bill.paid += payment.amount
    changing.settle(db, call, bill, charges, REASON)
    _record(db, call, bill, payment)
    return payment


def settle_lines(db: Session, call: Call, bill_id: uuid.UUID, choice_ids: Sequence[uuid.UUID]) -> Bill:
    """Say which lines a part payment is for.

    Raises InvalidInput for a line of another bill, Conflict for one that is settled and for more than the money covers.
    """
    bill = _kept_bill(db, call, bill_id)
    charges = queries.lock_charges(db, [bill_id])[bill_id]
    rules.require_settleable(changing.lines_of(charges), bill.paid, choice_ids)
    changing.admit(db, call, bill, charges, set(choice_ids), REASON)
    after = {"bill_id": str(bill_id), "state": str(bill.state), "lines": len(set(choice_ids))}
    audit.record(db, call, subject=None, place=bill.place, after=after)
    return bill


def register_refund(db: Session, call: Call, given: dict[str, Any]) -> Payment:
    """Write down that money was given back which no line of the bill needs.

    Raises Conflict("billing.refund_too_large") for more than that.
    """
    bill = _kept_bill(db, call, given["bill_id"])
    amount = rules.require_amount(given["amount"])
    rules.require_past(given["paid_on"], call.now)
    _require_new_receipt(db, bill.keeper_place, given["receipt_no"])
    charges = queries.lock_charges(db, [bill.bill_id])[bill.bill_id]
    lines = changing.lines_of(charges)
    if amount > rules.free_money(lines, bill.paid):
        raise Conflict("billing.refund_too_large", "amount")
    refund = _row(call, given, -amount, PaymentSource.REFUND, PaymentState.MATCHED, bill.keeper_place)
    refund.bill_id, refund.place, refund.bill_no = bill.bill_id, bill.place, bill.bill_no
    db.add(refund)
    bill.paid -= amount
    changing.refresh(db, bill, charges, call.now, reworded=False)
    _record(db, call, bill, refund, given["reason"])
    return refund


# --- parts --------------------------------------------------------------------------------------------------------------


def _kept_bill(db: Session, call: Call, bill_id: uuid.UUID) -> Bill:
    """The locked bill, if it is in the caller's own books."""
    bill = queries.lock_bill(db, bill_id)
    call.authorise(place=bill.keeper_place, missing=queries.MISSING)
    require_keeper(call.actor.grants, bill)
    return bill


def require_keeper(grants: Sequence[Grant], bill: Bill) -> None:
    """Raises NotAllowed("billing.keeper_elsewhere") for whoever sees the bill and does not keep it."""
    role = KEEPERS[bill.tier]
    if not any(grant.role is role and covers(grant.place, bill.keeper_place) for grant in grants):
        raise NotAllowed("billing.keeper_elsewhere")


def _require_new_receipt(db: Session, keeper_place: str, receipt_no: str) -> None:
    if queries.find_payment_of_receipt(db, keeper_place, receipt_no) is not None:
        raise Conflict("billing.receipt_known", "receipt_no")


def _add(
    db: Session,
    call: Call,
    bill: Bill,
    charges: Sequence[Charge],
    amount: Decimal,
    given: dict[str, Any],
    source: PaymentSource,
) -> Payment:
    state = rules.fit_of(changing.lines_of(charges), bill.paid, amount)
    payment = _row(call, given, amount, source, state, bill.keeper_place)
    payment.bill_id, payment.place, payment.bill_no = bill.bill_id, bill.place, bill.bill_no
    db.add(payment)
    bill.paid += amount
    db.flush()
    return payment


def _unknown(db: Session, call: Call, keeper_place: str, row: dict[str, Any]) -> Payment:
    payment = _row(call, row, row["amount"], PaymentSource.BANK_FILE, PaymentState.UNKNOWN_NOTICE, keeper_place)
    payment.bill_no, payment.place = row["bill_no"], ""
    db.add(payment)
    db.flush()
    return payment


def _row(
    call: Call,
    given: dict[str, Any],
    amount: Decimal,
    source: PaymentSource,
    state: PaymentState,
    keeper_place: str,
) -> Payment:
    paid_on: dt.date = given["paid_on"]
    return Payment(
        payment_id=new_id(),
        keeper_place=keeper_place,
        amount=amount,
        receipt_no=given["receipt_no"],
        paid_on=paid_on,
        payer=given.get("payer", ""),
        source=source,
        state=state,
        registered_by=call.actor.key,
        registered_at=call.now,
    )


def _record(db: Session, call: Call, bill: Bill | None, payment: Payment, reason: str = "") -> None:
    db.flush()
    after = {
        "payment_id": str(payment.payment_id),
        "amount": str(payment.amount),
        "state": str(payment.state),
        "bill_id": str(payment.bill_id) if payment.bill_id else "",
        "bill_state": str(bill.state) if bill else "",
    }
    place = bill.place if bill else payment.keeper_place
    audit.record(db, call, subject=None, place=place, reason=reason, after=after)
