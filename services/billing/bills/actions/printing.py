"""Printing a bill's notice: it is kept as it was printed, and the same edition is always the same page."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.billing.bills import documents, queries
from services.billing.bills.actions import changing
from services.billing.bills.models import Bill, Notice
from services.billing.contract.bills import BillState
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict


def print_notice(db: Session, call: Call, bill_id: uuid.UUID) -> dict[str, Any]:
    """The notice of what is owed now; the bill is NOTICE_PRINTED from the first time on. A paid bill's is printed again as it was.

    Raises NotFound for a bill out of reach, Conflict("billing.nothing_to_pay") for one that asks for nothing.
    """
    bill = queries.lock_bill(db, bill_id)
    call.authorise(place=reached(call, bill), missing=queries.MISSING)
    if (kept := queries.find_notice(db, bill_id, bill.edition)) is not None:
        _record(db, call, bill, bill.state)
        return kept.document
    if bill.state not in (BillState.UNPAID, BillState.NOTICE_PRINTED):
        raise Conflict("billing.nothing_to_pay")
    charges = queries.lock_charges(db, [bill_id])[bill_id]
    period = queries.get_bill(db, bill_id).period
    document = documents.notice(bill, period, charges, bill.edition, call.now)
    db.add(
        Notice(
            bill_id=bill_id,
            edition=bill.edition,
            place=bill.place,
            keeper_place=bill.keeper_place,
            document=document,
            printed_by=call.actor.key,
            printed_at=call.now,
        )
    )
    before = bill.state
    bill.printed_edition = bill.edition
    changing.refresh(db, bill, charges, call.now, reworded=False)
    _record(db, call, bill, before)
    return document


def declaration_form(db: Session, call: Call, bill_id: uuid.UUID) -> dict[str, Any]:
    """The form that goes with the payment of what was printed last.

    Raises Conflict("billing.notice_missing") before a notice of the present lines was printed: the two must agree.
    """
    view = queries.get_bill(db, bill_id)
    bill = view.bill
    call.authorise(place=reached(call, bill), missing=queries.MISSING)
    printed = queries.find_notice(db, bill_id, bill.edition)
    if printed is None:
        raise Conflict("billing.notice_missing")
    charges = queries.list_charges(db, bill_id)
    return documents.declaration_form(bill, view.period, charges, bill.edition, printed.printed_at)


def reached(call: Call, bill: Bill) -> str:
    """The place of a bill by which the caller may see it: the school's, or the keeper's where it is out of the school's."""
    granted = call.actor.places(call.policy.roles)
    if not any(place == bill.place or bill.place.startswith(f"{place}/") for place in granted):
        return bill.keeper_place
    return bill.place


def _record(db: Session, call: Call, bill: Bill, before: str) -> None:
    after = {"bill_id": str(bill.bill_id), "state": str(bill.state), "edition": bill.edition}
    audit.record(db, call, subject=None, place=bill.place, before={"state": str(before)}, after=after)
