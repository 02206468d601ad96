"""Transfers of teachers between schools."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.people import explained, with_people
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import transfers as schemas

blueprint = Blueprint("transfers", __name__, description="教师调动 (transfers between schools)")


@blueprint.post("/transfers/preview")
@blueprint.doc(operationId="preview_transfer")
@blueprint.arguments(schemas.TransferPreview)
@blueprint.response(200, schemas.Previewed)
def preview_transfer(body: dict[str, Any]) -> dict[str, Any]:
    """Where the teacher of a learner number is, who would decide, and what stands in the way."""
    # A body, because the number belongs into no URL.
    found = ask("org", "preview_transfer", {**body, "school_id": str(body["school_id"])})
    return {**found, "message": explained([{"code": found["refusal"]}])[0]["message"]}


@blueprint.post("/transfers")
@blueprint.doc(operationId="request_transfer")
@blueprint.arguments(schemas.NewTransfer)
@blueprint.response(201, schemas.Transfer)
def request_transfer(body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a teacher by learner number, as the receiving school's admin."""
    return tell("org", "request_transfer", {**body, "school_id": str(body["school_id"])})


@blueprint.get("/transfers")
@blueprint.doc(operationId="list_transfers")
@blueprint.arguments(schemas.TransfersQuery, location="query")
@blueprint.response(200, schemas.Transfers)
def list_transfers(query: dict[str, Any]) -> dict[str, Any]:
    """Transfers to and from a school or region, newest first, decided ones too."""
    return _page("list_transfers", query)


@blueprint.get("/transfers/to-decide")
@blueprint.doc(operationId="list_transfers_to_decide")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Transfers)
def list_transfers_to_decide(query: dict[str, Any]) -> dict[str, Any]:
    """What waits for the own decision, oldest first."""
    return _page("list_transfers_to_decide", query)


@blueprint.get("/transfers/me")
@blueprint.doc(operationId="list_own_transfers")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Transfers)
def list_own_transfers(query: dict[str, Any]) -> dict[str, Any]:
    """Transfers about oneself, newest first."""
    return ask_page("org", "list_own_transfers", query)


@blueprint.get("/transfers/<uuid:transfer_id>")
@blueprint.doc(operationId="get_transfer")
@blueprint.response(200, schemas.Transfer)
def get_transfer(transfer_id: Any) -> dict[str, Any]:
    """One transfer, for either side, whoever stands above, and the teacher herself."""
    return with_people([ask("org", "get_transfer", {"transfer_id": str(transfer_id)})])[0]


@blueprint.post("/transfers/<uuid:transfer_id>/approval")
@blueprint.doc(operationId="approve_transfer")
@blueprint.response(200, schemas.Transfer)
def approve_transfer(transfer_id: Any) -> dict[str, Any]:
    """Let the teacher belong to the receiving school from this moment."""
    return tell("org", "approve_transfer", {"transfer_id": str(transfer_id)})


@blueprint.post("/transfers/<uuid:transfer_id>/rejection")
@blueprint.doc(operationId="reject_transfer")
@blueprint.arguments(schemas.Rejection)
@blueprint.response(200, schemas.Transfer)
def reject_transfer(body: dict[str, Any], transfer_id: Any) -> dict[str, Any]:
    """Leave the teacher where she is, with the reason."""
    return tell("org", "reject_transfer", {"transfer_id": str(transfer_id), **body})


@blueprint.post("/transfers/<uuid:transfer_id>/withdrawal")
@blueprint.doc(operationId="withdraw_transfer")
@blueprint.arguments(schemas.Withdrawal)
@blueprint.response(200, schemas.Transfer)
def withdraw_transfer(body: dict[str, Any], transfer_id: Any) -> dict[str, Any]:
    """Take the own school's request back while it waits."""
    return tell("org", "withdraw_transfer", {"transfer_id": str(transfer_id), **body})


def _page(method: str, query: dict[str, Any]) -> dict[str, Any]:
    page = ask_page("org", method, query)
    return {**page, "items": with_people(page["items"])}
