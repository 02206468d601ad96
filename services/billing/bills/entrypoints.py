"""Entrypoints of bills: lists, printing, money, the overdue, and what a teacher's own courses cost."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from services.billing.bills import queries, rules, schemas
from services.billing.bills.actions import changing, making, overdue, paying, printing
from services.billing.bills.queries import BillFilter, BillView, LineFilter, Order
from services.billing.contract.bills import ChargeState
from services.billing.schemas import Nothing
from services.billing.selection import actions as selection
from services.catalog.contract.periods import OFFERING_CHANGED, PERIOD_CHANGED
from services.learning.contract.selection import BUCKETS, CHOICE_CHANGED, SELECTION_CLOSED, Bucket
from services.org.contract.units import SCHOOL_CHANGED
from services.shared import clock
from services.shared.bus import Call, command, event_handler, periodic, query
from services.shared.paging import page_of

PLACE_UNKNOWN = "billing.place_unknown"
OVER = BUCKETS[Bucket.OVER]  # cancelled or void


class Bills:
    """Mixed into the service."""

    database: Any

    # --- looking ---

    @query
    def list_bills(self, call: Call) -> dict[str, Any]:
        """Bills of the schools at a place, and of what is charged there; newest first."""
        arguments = call.load(schemas.ListBills())
        limit, cursor = arguments.pop("limit"), arguments.pop("cursor")
        call.authorise(place=arguments["place"], missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            found = queries.list_bills(db, BillFilter(**arguments), cursor, limit + 1)
        return page_of(found, limit, _bill, lambda view: str(view.bill.bill_id))

    @query
    def get_bill(self, call: Call) -> dict[str, Any]:
        bill_id = call.load(schemas.BillId())["bill_id"]
        with self.database.read(call) as db:
            view = queries.get_bill(db, bill_id)
            call.authorise(place=printing.reached(call, view.bill), missing=queries.MISSING)
            lines = changing.lines_of(queries.list_charges(db, bill_id))
        return {**_bill(view), "surplus": _yuan(_surplus(lines, view.bill.paid))}

    @query
    def list_bill_lines(self, call: Call) -> dict[str, Any]:
        """Lines of one bill, or of a place: whom the courses are for and whether they are paid (选课录取查询)."""
        arguments = call.load(schemas.ListLines())
        limit, cursor, bill_id = arguments.pop("limit"), arguments.pop("cursor"), arguments.pop("bill_id")
        call.authorise(place=arguments["place"], missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            found = queries.list_lines(db, LineFilter(**arguments), bill_id, cursor, limit + 1)
        return page_of(found, limit, _line, lambda pair: str(pair[0].choice_id))

    @query
    def list_payments(self, call: Call) -> dict[str, Any]:
        """Money that came for the schools of a place or to its institution; also what fits no bill, or is too much."""
        arguments = call.load(schemas.ListPayments())
        limit = arguments["limit"]
        call.authorise(place=arguments["place"], missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            found = queries.list_payments(
                db, arguments["place"], arguments["bill_id"], arguments["state"], arguments["cursor"], limit + 1
            )
        return page_of(found, limit, schemas.Payment().dump, lambda payment: str(payment.payment_id))

    # --- printing ---

    @command
    def print_notice(self, call: Call) -> dict[str, Any]:
        """The payment notice as certs prints it; from the first time on the bill counts as printed."""
        bill_id = call.load(schemas.BillId())["bill_id"]
        return self.database.commit_once(call, lambda db: printing.print_notice(db, call, bill_id))

    @query
    def get_declaration_form(self, call: Call) -> dict[str, Any]:
        """The declaration form in duplicate that goes with the payment."""
        bill_id = call.load(schemas.BillId())["bill_id"]
        with self.database.read(call) as db:
            return printing.declaration_form(db, call, bill_id)

    # --- money ---

    @command
    def register_payment(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RegisterPayment())
        return self.database.commit_once(
            call, lambda db: paying.register_payment(db, call, arguments), schemas.Payment()
        )

    @command
    def assign_payment(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.AssignPayment())
        return self.database.commit_once(
            call, lambda db: paying.assign_payment(db, call, **arguments), schemas.Payment()
        )

    @command
    def settle_lines(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.SettleLines())
        return self.database.commit_once(call, lambda db: paying.settle_lines(db, call, **arguments), schemas.Settled())

    @command
    def register_refund(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RegisterRefund())
        return self.database.commit_once(
            call, lambda db: paying.register_refund(db, call, arguments), schemas.Payment()
        )

    # --- the overdue ---

    @query
    def list_overdue(self, call: Call) -> dict[str, Any]:
        """Who owes the city courses after the last day and is no special user yet: what the centre confirms."""
        arguments = call.load(schemas.ListOverdue())
        limit, place = arguments["limit"], arguments["place"]
        call.authorise(place=place, missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            after = tuple(arguments["cursor"]) if arguments["cursor"] else None
            found = queries.list_overdue(db, place, arguments["period_id"], after, limit + 1)
        return page_of(found, limit, schemas.Overdue().dump, lambda each: [str(each.teacher_id), str(each.period_id)])

    @command
    def confirm_special_users(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ConfirmSpecialUsers())
        return self.database.commit_once(
            call, lambda db: overdue.confirm_special_users(db, call, **arguments), schemas.ConfirmedRows()
        )

    # --- one's own ---

    @query
    def list_own_orders(self, call: Call) -> dict[str, Any]:
        """The caller's own choices, what they cost her school, and whether that is paid. No money of hers is kept."""
        arguments = call.load(schemas.ListOrders())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_orders(db, call.authorise_own(), arguments["cursor"], limit + 1)
        return page_of(found, limit, _order, lambda order: str(order.choice.choice_id))

    @query
    def get_own_dues(self, call: Call) -> dict[str, Any]:
        """Hours and fees of the caller's own courses that are not paid yet, and of those those that are overdue."""
        call.load(Nothing())
        with self.database.read(call) as db:
            rows = {row.state: row for row in queries.sum_open(db, call.authorise_own())}
        nothing = {"courses": 0, "hours": rules.ZERO, "amount": rules.ZERO}
        dues = {
            "to_pay": rows.get(ChargeState.BILLED, nothing),
            "overdue": rows.get(ChargeState.UNPAID, nothing),
        }
        return schemas.Dues().dump(dues)

    # --- what others say ---

    @event_handler(SCHOOL_CHANGED)
    def on_school_changed(self, db: Any, event: Any) -> None:
        selection.keep_unit(db, event.payload)

    @event_handler(PERIOD_CHANGED)
    def on_period_changed(self, db: Any, event: Any) -> None:
        selection.keep_period(db, event.payload)

    @event_handler(OFFERING_CHANGED)
    def on_offering_changed(self, db: Any, event: Any) -> None:
        selection.keep_offering(db, event.payload)

    @event_handler(CHOICE_CHANGED)
    def on_choice_changed(self, db: Any, event: Any) -> None:
        if not selection.keep_choice(db, event.payload):
            return
        choice_id, now = uuid.UUID(event.payload["choice_id"]), clock.now()
        if event.payload["state"] in OVER:
            making.take_off(db, choice_id, now)
        else:
            making.bill_again(db, choice_id)

    @event_handler(SELECTION_CLOSED)
    def on_selection_closed(self, db: Any, event: Any) -> None:
        selection.keep_closing(db, event.payload)

    # --- unasked ---

    @periodic(5, job="make_bills")
    def make_bills(self, now: dt.datetime) -> None:
        """Bill what is due; a period of a city takes many transactions, each for some schools."""
        while True:
            with self.database.work() as db:
                if not making.make_bills(db, now):
                    return

    @periodic(60, job="mark_overdue")
    def mark_overdue(self, now: dt.datetime) -> None:
        while True:
            with self.database.work() as db:
                if not overdue.mark_overdue(db, now):
                    return


def _bill(view: BillView) -> dict[str, Any]:
    bill = view.bill
    # Lists show how far the money goes beyond the bill; what is free of a part payment, the bill itself.
    shown = {**vars(bill), "period": view.period.title, "due_on": view.period.due_on}
    return schemas.Bill().dump({**shown, "surplus": max(bill.paid - bill.amount, rules.ZERO)})


def _surplus(lines: list[rules.Line], paid: Decimal) -> Decimal:
    return max(rules.free_money(lines, paid), rules.ZERO)


def _yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _line(pair: Any) -> dict[str, Any]:
    charge, period = pair
    return schemas.LineShown().dump({**vars(charge), "period": period.title})


def _order(order: Order) -> dict[str, Any]:
    choice, offering, period, charge = order.choice, order.offering, order.period, order.charge
    amount = charge.amount if charge else _asked(offering)
    return schemas.Order().dump(
        {
            "choice_id": choice.choice_id,
            "offering_id": choice.offering_id,
            "period_id": choice.period_id,
            "period": period.title if period else "",
            "course_no": offering.course_no if offering else "",
            "title": offering.title if offering else "",
            "hour_type": offering.hour_type if offering else "",
            "hours": offering.hours if offering else None,
            "choice_state": choice.state,
            "payment_state": charge.state if charge else None,
            "amount": amount,
            "due_on": period.due_on if period else None,
            "chosen_at": choice.chosen_at,
        }
    )


def _asked(offering: Any) -> Decimal | None:
    """What it will cost, while there is no bill."""
    if offering is None:
        return None
    return rules.amount_due(offering.fee, offering.material_fee, public_course=offering.public_course)
