"""A bank's file of payments: each row is matched to its bill, or says why it is not; the same receipt twice is one payment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.orm import Session

from services.billing.bills import queries, rules
from services.billing.bills.actions import paying
from services.billing.bills.policy import KEEPERS
from services.billing.contract import bulk
from services.billing.contract.bills import PaymentState
from services.shared import clock
from services.shared.actor import Grant
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow, Kind, Result
from services.shared.bulk.rules import Outcome
from services.shared.bus import Call
from services.shared.errors import InvalidInput, NotAllowed, ServiceError

# What the report says of a payment that was written down. All of them are in the books, whatever they are called.
TOLD = {
    PaymentState.MATCHED: "已核销",
    PaymentState.AMOUNT_DIFFERS: "金额不符，已入账待分配",
    PaymentState.UNKNOWN_NOTICE: "账单号不存在，已登记待认领",
    PaymentState.PAID_TWICE: "重复缴费，已入账待退",
}
# A warning for the preview; the row is taken all the same.
_FORM = "shared.invalid"


def fault_in_payment(values: Mapping[str, str]) -> Fault | None:
    """What can be told of a row by its form: an amount, a day that is not to come, a receipt number."""
    try:
        parse_payment(values)
    except InvalidInput as error:
        return Fault(error.code, error.field)
    return None


def parse_payment(values: Mapping[str, str]) -> dict[str, Any]:
    """Raises InvalidInput naming the column at fault."""
    try:
        amount = rules.require_amount(Decimal(values["amount"].replace(",", "")))
    except InvalidOperation:
        raise InvalidInput("billing.amount_wrong", "amount") from None
    try:
        paid_on = dt.date.fromisoformat(values["paid_on"].replace("/", "-"))
    except ValueError:
        raise InvalidInput(_FORM, "paid_on") from None
    rules.require_past(paid_on, clock.now())
    receipt_no = values["receipt_no"]
    if not (4 <= len(receipt_no) <= 40 and receipt_no.replace("-", "").isalnum() and receipt_no.isascii()):
        raise InvalidInput(_FORM, "receipt_no")
    return {
        "bill_no": values["bill_no"],
        "amount": amount,
        "receipt_no": receipt_no,
        "paid_on": paid_on,
        "payer": values.get("payer", ""),
    }


def import_payments(db: Session, chunk: Chunk) -> dict[int, Result]:
    """Write down each row's money and settle what it pays for."""
    keeper = keeper_of(chunk.call)
    chunk.call.authorise(place=keeper.place)
    return {row.number: _take(db, chunk.call, keeper, row) for row in chunk.rows}


def _take(db: Session, call: Call, keeper: Grant, row: JobRow) -> Result:
    try:
        payment, is_new = paying.take_bank_row(db, call, keeper, parse_payment(row.values))
    except ServiceError as error:
        return Result.refused(error)
    told = TOLD[PaymentState(payment.state)]
    return Result(Outcome.CREATED if is_new else Outcome.UNCHANGED, told=told)


def foresee_payments(service: Any, call: Call, rows: Sequence[JobRow]) -> dict[int, Fault]:
    """For the preview: receipts that are registered differently. What fits no bill is taken, and is shown by its outcome."""
    keeper = keeper_of(call)
    faults = {}
    with service.database.read(call) as db:
        for row in rows:
            given = parse_payment(row.values)
            known = queries.find_payment_of_receipt(db, keeper.place, given["receipt_no"])
            if known is not None and (known.amount, known.bill_no) != (given["amount"], given["bill_no"]):
                faults[row.number] = Fault("billing.receipt_known", "receipt_no")
    return faults


def keeper_of(call: Call) -> Grant:
    """In whose books the file is written. Raises NotAllowed for whoever keeps none."""
    for grant in call.actor.grants:
        if grant.role in KEEPERS.roles:
            return grant
    raise NotAllowed("shared.not_allowed")


KINDS = (
    Kind(
        bulk.IMPORT_PAYMENTS,
        "银行缴款对账",
        bulk.PAYMENT_COLUMNS,
        KEEPERS,
        import_payments,
        repeats=(("receipt_no",),),
        check=fault_in_payment,
        foresee=foresee_payments,
    ),
)
