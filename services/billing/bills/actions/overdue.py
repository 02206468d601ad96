"""When the last day to pay has passed: arrears, special users, and the deletion of the record when they are cleared."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.billing import queries as billing_queries
from services.billing.bills import queries, rules
from services.billing.bills.actions import changing, making
from services.billing.contract.bills import ChargeState
from services.billing.contract.holds import HoldKind, RowResult
from services.billing.holds import actions as holds
from services.billing.holds import queries as hold_queries
from services.billing.holds import rules as hold_rules
from services.billing.holds.models import Hold
from services.billing.holds.policy_file import policies
from services.billing.selection import queries as selection
from services.shared import audit
from services.shared.bus import Call
from services.shared.clock import BEIJING
from services.shared.errors import Conflict, NotAllowed, ServiceError

BILLS_AT_ONCE = 50
DELETED = "未缴费记录已删除"


def mark_overdue(db: Session, now: dt.datetime) -> int:
    """Let the lines of the next bills be unpaid whose last day is past, and hold whom they are of. Returns how many lines."""
    today = now.astimezone(BEIJING).date()
    bills = queries.lock_bills(db, queries.list_overdue_bills(db, today, BILLS_AT_ONCE))
    charges = queries.lock_charges(db, [bill.bill_id for bill in bills])
    call = changing.itself("mark_overdue", now)
    marked = 0
    for bill in bills:
        overdue = [charge for charge in charges[bill.bill_id] if charge.state == ChargeState.BILLED]
        changing.move(db, overdue, ChargeState.UNPAID, now)
        changing.refresh(db, bill, charges[bill.bill_id], now, reworded=False)
        period = selection.get_period(db, bill.period_id)
        owing = {charge.teacher_id for charge in overdue}
        holds.place_arrears(db, owing, rules.arrears_of(bill.tier), bill.keeper_place, period, call)
        marked += len(overdue)
    return marked


def confirm_special_users(
    db: Session, call: Call, period_id: uuid.UUID, teacher_ids: Sequence[uuid.UUID]
) -> dict[str, list[dict[str, Any]]]:
    """Make special users of teachers of the computed list, each with an outcome of her own.

    Raises NotFound for a period elsewhere, Conflict("billing.not_a_city_period") for a district's: its arrears make none.
    """
    period = selection.get_period(db, period_id)
    call.authorise(place=period.place, missing="billing.period_unknown", field="period_id")
    if period.tier != rules.CITY:
        raise Conflict("billing.not_a_city_period", "period_id")
    policy = policies()[HoldKind.SPECIAL_USER]
    hold_rules.require_keeper(policy, call.actor.grants, period.place)
    listed = {
        each.teacher_id
        for each in queries.list_overdue(db, period.place, period_id, None, len(teacher_ids), set(teacher_ids))
    }
    rows, placed = [], []
    for teacher_id in teacher_ids:
        outcome, code = RowResult.DONE, ""
        try:
            placed.append(_confirm(db, call, period, teacher_id, listed))
        except ServiceError as error:
            outcome, code = RowResult.REFUSED, error.code
        rows.append({"teacher_id": teacher_id, "outcome": outcome, "code": code})
    holds.announce(db, placed)
    audit.record_many(db, call, [holds.act_of(hold, "", hold.reason) for hold in placed])
    return {"rows": rows}


def _confirm(db: Session, call: Call, period: Any, teacher_id: uuid.UUID, listed: set[uuid.UUID]) -> Hold:
    if call.actor.account_id == teacher_id:
        raise NotAllowed("billing.not_yourself")
    billing_queries.lock_placement(db, teacher_id)
    if hold_queries.is_held(db, teacher_id, HoldKind.SPECIAL_USER, period.place):
        raise Conflict("billing.hold_exists")
    if teacher_id not in listed:
        raise Conflict("billing.not_overdue")
    kind, reason = HoldKind.SPECIAL_USER, f"{period.title}未缴费"
    hold = holds.new_hold(db, teacher_id, kind, period.place, reason, call.actor.key, call.now, period.period_id)
    db.flush()  # the same teacher twice in one list is held once
    return hold


def delete_records(db: Session, call: Call, lifted: Sequence[Hold]) -> None:
    """Whoever is cleared owes no more: the institution deletes the unpaid records with the hold (S3:167)."""
    for hold in lifted:
        bills = queries.lock_bills(db, queries.list_bills_owed(db, [hold.teacher_id], hold.place))
        charges = queries.lock_charges(db, [bill.bill_id for bill in bills])
        for bill in bills:
            # A city's hold clears the city's courses, a district's the district's.
            if rules.arrears_of(bill.tier) is not _arrears_behind(HoldKind(hold.kind)):
                continue
            lines = charges[bill.bill_id]
            owed = {
                charge.choice_id
                for charge in lines
                if charge.teacher_id == hold.teacher_id and charge.state == ChargeState.UNPAID
            }
            making.void_lines(db, call, bill, lines, owed, DELETED)


def _arrears_behind(kind: HoldKind) -> HoldKind:
    return HoldKind.CITY_ARREARS if kind is HoldKind.SPECIAL_USER else kind
