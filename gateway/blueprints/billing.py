"""Bills of schools, their notices and payments; the overdue; one's own orders."""

from __future__ import annotations

from typing import Any

from flask import Response

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.papers import PDF_DOCUMENT, print_document
from gateway.people import explained, with_people
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import billing as schemas

blueprint = Blueprint("billing", __name__, description="缴费：账单、缴款通知书、缴款、逾期 (bills and payments)")


@blueprint.get("/bills")
@blueprint.doc(operationId="list_bills")
@blueprint.arguments(schemas.BillsQuery, location="query")
@blueprint.response(200, schemas.Bills)
def list_bills(query: dict[str, Any]) -> dict[str, Any]:
    """Bills of a school, of the schools of a region, or of what a region's institution charges; newest first."""
    return ask_page("billing", "list_bills", _plain(query))


@blueprint.get("/bills/<uuid:bill_id>")
@blueprint.doc(operationId="get_bill")
@blueprint.response(200, schemas.Bill)
def get_bill(bill_id: Any) -> dict[str, Any]:
    """One bill, with the money that came for it."""
    return ask("billing", "get_bill", {"bill_id": str(bill_id)})


@blueprint.get("/bill-lines")
@blueprint.doc(operationId="list_bill_lines")
@blueprint.arguments(schemas.LinesQuery, location="query")
@blueprint.response(200, schemas.Lines)
def list_bill_lines(query: dict[str, Any]) -> dict[str, Any]:
    """Whose courses are billed and paid, line by line 选课录取查询; of one bill or of a place."""
    page = ask_page("billing", "list_bill_lines", _plain(query))
    return {**page, "items": with_people(page["items"])}


@blueprint.post("/bills/<uuid:bill_id>/notice")
@blueprint.doc(operationId="print_notice", responses=PDF_DOCUMENT)
def print_notice(bill_id: Any) -> Response:
    """The payment notice 缴款通知书 as PDF. The first time the bill becomes NOTICE_PRINTED; again it is the same page."""
    document = tell("billing", "print_notice", {"bill_id": str(bill_id)})
    return print_document(document, f"notice-{document['reference']}.pdf")


@blueprint.get("/bills/<uuid:bill_id>/declaration-form")
@blueprint.doc(operationId="get_declaration_form", responses=PDF_DOCUMENT)
def get_declaration_form(bill_id: Any) -> Response:
    """The declaration form 申报表 in duplicate, to be stamped and handed in with the payment."""
    document = ask("billing", "get_declaration_form", {"bill_id": str(bill_id)})
    return print_document(document, f"declaration-{document['reference']}.pdf")


@blueprint.post("/payments")
@blueprint.doc(operationId="register_payment")
@blueprint.arguments(schemas.NewPayment)
@blueprint.response(201, schemas.Payment)
def register_payment(body: dict[str, Any]) -> dict[str, Any]:
    """Write down that money came for a bill. Its courses are admitted, all or those that are named."""
    return tell("billing", "register_payment", _plain(body))


@blueprint.get("/payments")
@blueprint.doc(operationId="list_payments")
@blueprint.arguments(schemas.PaymentsQuery, location="query")
@blueprint.response(200, schemas.Payments)
def list_payments(query: dict[str, Any]) -> dict[str, Any]:
    """Money that came, newest first; `state` finds what differs, came twice or fits no bill."""
    return ask_page("billing", "list_payments", _plain(query))


@blueprint.post("/payments/<uuid:payment_id>/assignment")
@blueprint.doc(operationId="assign_payment")
@blueprint.arguments(schemas.Assignment)
@blueprint.response(200, schemas.Payment)
def assign_payment(body: dict[str, Any], payment_id: Any) -> dict[str, Any]:
    """Say which bill money of an unknown notice was meant for."""
    return tell("billing", "assign_payment", {"payment_id": str(payment_id), **_plain(body)})


@blueprint.post("/bills/<uuid:bill_id>/settlement")
@blueprint.doc(operationId="settle_lines")
@blueprint.arguments(schemas.Settlement)
@blueprint.response(200, schemas.Settled)
def settle_lines(body: dict[str, Any], bill_id: Any) -> dict[str, Any]:
    """Say whose courses a part payment is for."""
    return tell("billing", "settle_lines", {"bill_id": str(bill_id), **_plain(body)})


@blueprint.post("/bills/<uuid:bill_id>/refunds")
@blueprint.doc(operationId="register_refund")
@blueprint.arguments(schemas.NewRefund)
@blueprint.response(201, schemas.Payment)
def register_refund(body: dict[str, Any], bill_id: Any) -> dict[str, Any]:
    """Write down that money was given back which no line needs."""
    return tell("billing", "register_refund", {"bill_id": str(bill_id), **_plain(body)})


@blueprint.get("/overdue-teachers")
@blueprint.doc(operationId="list_overdue")
@blueprint.arguments(schemas.OverdueQuery, location="query")
@blueprint.response(200, schemas.Overdue)
def list_overdue(query: dict[str, Any]) -> dict[str, Any]:
    """Who owes the city courses after the last day to pay and is no special user 特殊用户 yet."""
    page = ask_page("billing", "list_overdue", _plain(query))
    return {**page, "items": with_people(page["items"])}


@blueprint.post("/special-users")
@blueprint.doc(operationId="confirm_special_users")
@blueprint.arguments(schemas.Confirmation)
@blueprint.response(200, schemas.Confirmed)
def confirm_special_users(body: dict[str, Any]) -> dict[str, Any]:
    """Make special users of teachers of that list; each gets an outcome of her own."""
    return {"rows": explained(tell("billing", "confirm_special_users", _plain(body))["rows"])}


@blueprint.get("/orders/me")
@blueprint.doc(operationId="list_own_orders")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Orders)
def list_own_orders(query: dict[str, Any]) -> dict[str, Any]:
    """The own courses with what they cost the school and whether that is paid, newest first."""
    return ask_page("billing", "list_own_orders", query)


@blueprint.get("/orders/me/dues")
@blueprint.doc(operationId="get_own_dues")
@blueprint.response(200, schemas.Dues)
def get_own_dues() -> dict[str, Any]:
    """Hours and fees of the own courses that are not paid yet, and those that are overdue."""
    return ask("billing", "get_own_dues")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Ids and days as text, as they travel."""
    return {
        name: [str(each) for each in value] if isinstance(value, list) else value if _travels(value) else str(value)
        for name, value in values.items()
    }


def _travels(value: Any) -> bool:
    return value is None or isinstance(value, str | int)
