"""What every change of a bill leaves behind: its lines, its sums and state, what is told."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.billing.bills import queries, rules
from services.billing.bills.models import Bill, Charge
from services.billing.bills.rules import Line
from services.billing.contract.bills import CHARGE_CHANGED, BillState, ChargeState
from services.billing.holds import actions as holds
from services.shared import outbox
from services.shared.actor import service_actor
from services.shared.bus import Call
from services.shared.policy import Policy

WORKING_SECONDS = 60.0


def itself(method: str, now: dt.datetime) -> Call:
    """A call of billing's own, for actions that record who did what when nobody asked."""
    return Call("billing", method, {}, service_actor("billing"), Policy(), time.monotonic() + WORKING_SECONDS, now=now)


def lines_of(charges: Iterable[Charge]) -> list[Line]:
    return [Line(charge.choice_id, charge.amount, ChargeState(charge.state)) for charge in charges]


def move(db: Session, charges: Sequence[Charge], wanted: ChargeState, now: dt.datetime) -> None:
    """Let locked lines take a step, and tell it."""
    for charge in charges:
        charge.state = rules.next_state(ChargeState(charge.state), wanted)
        charge.version += 1
        charge.changed_at = now
    announce(db, charges)


def announce(db: Session, charges: Sequence[Charge]) -> None:
    db.flush()
    outbox.announce_many(db, CHARGE_CHANGED, [(charge.choice_id, payload_of(charge)) for charge in charges])


def payload_of(charge: Charge) -> dict[str, Any]:
    """The line as `billing.charge_changed` tells it."""
    return {
        "choice_id": str(charge.choice_id),
        "version": charge.version,
        "teacher_id": str(charge.teacher_id),
        "period_id": str(charge.period_id),
        "offering_id": str(charge.offering_id),
        "bill_id": str(charge.bill_id),
        "state": str(charge.state),
    }


def refresh(db: Session, bill: Bill, charges: Sequence[Charge], now: dt.datetime, *, reworded: bool) -> None:
    """Add the locked bill up again after its lines or its money changed. `reworded`: a notice printed before fits no more."""
    lines = lines_of(charges)
    bill.amount = rules.sum_of(lines)
    if reworded:
        bill.edition += 1
    bill.state = rules.state_of(lines, printed=bill.printed_edition == bill.edition)
    bill.paid_at = (bill.paid_at or now) if bill.state == BillState.PAID else None
    bill.version += 1
    db.flush()


def settle(db: Session, call: Call, bill: Bill, charges: Sequence[Charge], reason: str) -> None:
    """Admit what the bill's money pays for, or only add it up again; whose arrears end with it is released."""
    paid_for = set(rules.settled_by(lines_of(charges), bill.paid))
    admit(db, call, bill, charges, paid_for, reason)


def admit(db: Session, call: Call, bill: Bill, charges: Sequence[Charge], paid_for: set[Any], reason: str) -> None:
    """Let these open lines be admitted."""
    admitted = [charge for charge in charges if charge.choice_id in paid_for]
    were_unpaid = [charge for charge in admitted if charge.state == ChargeState.UNPAID]
    move(db, admitted, ChargeState.ADMITTED, call.now)
    refresh(db, bill, charges, call.now, reworded=False)
    release(db, call, bill, were_unpaid, reason)


def release(db: Session, call: Call, bill: Bill, were_unpaid: Sequence[Charge], reason: str) -> None:
    """End the arrears of the teachers of these lines who owe the institution nothing else; a special user stays one."""
    teachers = {charge.teacher_id for charge in were_unpaid}
    if not teachers:
        return
    settled = teachers - queries.list_owing(db, teachers, bill.keeper_place)
    holds.end_arrears(db, settled, rules.arrears_of(bill.tier), bill.keeper_place, reason, call)
