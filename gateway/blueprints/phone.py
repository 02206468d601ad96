"""Changing the bound phone: by the old one, by ticket, and the support desk that decides tickets."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint as Pages
from flask import Response, render_template, request

from gateway import auth, evidence, security
from gateway.context import call, gateway
from gateway.errors import problem_of
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import phone as schemas
from gateway.schemas.identity import SmsCodeSent
from services.identity.contract.phone import STOP_PATH
from services.shared.errors import ServiceError

blueprint = Blueprint("phone", __name__, description="换绑手机 (changing the bound phone)")
pages = Pages("phone_pages", __name__, template_folder="../templates")

UPLOAD_SECONDS = 20.0
TICKET = "/phone-tickets/<uuid:ticket_id>"
IMAGE_DOCUMENT = {
    200: {
        "description": "The photo",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/jpeg", "image/png")},
    }
}

# By way of the old phone ---------------------------------------------------------------------------------------------


@blueprint.post("/phone-changes")
@blueprint.doc(operationId="start_phone_change")
@blueprint.response(201, schemas.PhoneChange)
def start_phone_change() -> dict[str, Any]:
    """Send a code to the phone that is bound now; the first of four steps."""
    return tell("identity", "start_phone_change")


@blueprint.post("/phone-changes/<uuid:change_id>/old-proof")
@blueprint.doc(operationId="prove_old_phone")
@blueprint.arguments(schemas.ChangeCode)
@blueprint.response(200, schemas.PhoneChange)
def prove_old_phone(body: dict[str, Any], change_id: uuid.UUID) -> dict[str, Any]:
    """Type the code that the old phone got."""
    return tell("identity", "prove_old_phone", {**body, "change_id": str(change_id)})


@blueprint.post("/phone-changes/<uuid:change_id>/new-phone")
@blueprint.doc(operationId="name_new_phone")
@blueprint.arguments(schemas.NewPhone)
@blueprint.response(200, schemas.PhoneChange)
def name_new_phone(body: dict[str, Any], change_id: uuid.UUID) -> dict[str, Any]:
    """Name the new phone; it gets a code. Naming another one starts this step again."""
    return tell("identity", "name_new_phone", {**body, "change_id": str(change_id)})


@blueprint.post("/phone-changes/<uuid:change_id>/completion")
@blueprint.doc(operationId="complete_phone_change")
@blueprint.arguments(schemas.ChangeCode)
@blueprint.response(200, schemas.PhoneChange)
def complete_phone_change(body: dict[str, Any], change_id: uuid.UUID) -> dict[str, Any]:
    """Type the code that the new phone got: it is bound now, and all other devices are signed out."""
    return tell("identity", "complete_phone_change", {**body, "change_id": str(change_id)})


# By ticket: whoever asks ---------------------------------------------------------------------------------------------


@blueprint.post("/phone-ticket-codes")
@blueprint.doc(operationId="request_ticket_code", security=[])
@blueprint.arguments(schemas.TicketCodeRequest)
@blueprint.response(202, SmsCodeSent)
def request_ticket_code(body: dict[str, Any]) -> dict[str, Any]:
    """Send a code to the new phone, for a ticket. The answer is the same whether or not it has an account."""
    return tell("identity", "request_ticket_code", body)


@blueprint.post("/phone-tickets")
@blueprint.doc(operationId="open_phone_ticket", security=[])
@blueprint.arguments(schemas.NewTicket)
@blueprint.response(201, schemas.OpenedTicket)
def open_phone_ticket(body: dict[str, Any]) -> dict[str, Any]:
    """Ask to bind another phone because the old one is dead. No sign-in; photos come next, then the submission."""
    return tell("identity", "open_phone_ticket", {**body, "language": call().language})


@blueprint.get(TICKET)
@blueprint.doc(operationId="get_phone_ticket", security=[])
@blueprint.arguments(schemas.TicketKey, location="headers")
@blueprint.response(200, schemas.Ticket)
def get_phone_ticket(key: dict[str, str], ticket_id: uuid.UUID) -> dict[str, Any]:
    """How far a ticket has come, for whoever opened it."""
    return ask("identity", "get_phone_ticket", {**key, "ticket_id": str(ticket_id)})


@blueprint.post(f"{TICKET}/photos")
@blueprint.doc(operationId="add_phone_ticket_photo", security=[])
@blueprint.arguments(schemas.PhotoHeaders, location="headers")
@blueprint.arguments(schemas.Photo, location="files", content_type="multipart/form-data")
@blueprint.response(201, schemas.PhotoAdded)
def add_phone_ticket_photo(key: dict[str, str], files: dict[str, Any], ticket_id: uuid.UUID) -> dict[str, Any]:
    """Add a photo of yourself with the document. Place, time and device are taken out; it is sealed, and deleted after a week.

    It is taken with your consent only (409 otherwise); whoever takes that back withdraws the request, and the photo goes.
    """
    extend_deadline(UPLOAD_SECONDS)
    consent = {"consent_version": key.pop("consent_version")}
    ticket = {**key, "ticket_id": str(ticket_id)}
    # Before the file costs anything: a stranger's ticket is unknown.
    ask("identity", "get_phone_ticket", ticket)
    with contextlib.closing(files["file"]) as file:
        image = evidence.read_image(file.stream)
    return evidence.add_image(image, ticket, consent, tell)


@blueprint.post(f"{TICKET}/submission")
@blueprint.doc(operationId="submit_phone_ticket", security=[])
@blueprint.arguments(schemas.TicketKey, location="headers")
@blueprint.response(200, schemas.Ticket)
def submit_phone_ticket(key: dict[str, str], ticket_id: uuid.UUID) -> dict[str, Any]:
    """Send the ticket to support."""
    return tell("identity", "submit_phone_ticket", {**key, "ticket_id": str(ticket_id)})


@blueprint.post(f"{TICKET}/withdrawal")
@blueprint.doc(operationId="withdraw_phone_ticket", security=[])
@blueprint.arguments(schemas.TicketKey, location="headers")
@blueprint.response(200, schemas.Ticket)
def withdraw_phone_ticket(key: dict[str, str], ticket_id: uuid.UUID) -> dict[str, Any]:
    """Take the ticket back, at any time before it takes effect."""
    return tell("identity", "withdraw_phone_ticket", {**key, "ticket_id": str(ticket_id)})


# By ticket: whoever is asked about -----------------------------------------------------------------------------------


@blueprint.get("/accounts/me/phone-ticket")
@blueprint.doc(operationId="get_own_phone_ticket")
@blueprint.response(200, schemas.OwnTicket)
def get_own_phone_ticket() -> dict[str, Any]:
    """The ticket in progress about your account, whoever opened it."""
    return ask("identity", "get_own_phone_ticket")


@blueprint.post("/accounts/me/phone-ticket/stop")
@blueprint.doc(operationId="stop_own_phone_ticket")
@blueprint.response(200, schemas.Stopped)
def stop_own_phone_ticket() -> dict[str, Any]:
    """Stop the ticket about your account."""
    return tell("identity", "stop_own_phone_ticket")


@blueprint.post("/phone-ticket-stops")
@blueprint.doc(operationId="stop_phone_ticket", security=[])
@blueprint.arguments(schemas.StopToken)
@blueprint.response(200, schemas.Stopped)
def stop_phone_ticket(body: dict[str, Any]) -> dict[str, Any]:
    """Stop a ticket with the token that the old number got by SMS."""
    return tell("identity", "stop_phone_ticket", body)


@pages.get(f"{STOP_PATH}<string:token>")
def show_stop(token: str) -> Response:
    """The page behind the link: it asks once more, because scanners of messages open links, too."""
    return _stop_page(lambda: ask("identity", "find_ticket_to_stop", {"token": token[:100]}))


@pages.post(f"{STOP_PATH}<string:token>")
def confirm_stop(token: str) -> Response:
    """The button on that page."""
    return _stop_page(lambda: tell("identity", "stop_phone_ticket", {"token": token[:100]}))


def _stop_page(act: Callable[[], dict[str, Any]]) -> Response:
    call().actor = auth.visitor(request)
    found, code, status, wait = None, "", 200, None
    try:
        gateway().limiter.count("stop_phone_ticket", request.method, call().actor)
        found = act()
    except ServiceError as error:
        problem = problem_of(error)
        code, status, wait = problem.code, problem.status, problem.retry_after
    call().problem_code = code
    call().page_policy = (
        f"default-src 'none'; style-src 'nonce-{security.style_nonce()}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    language = call().language
    message = gateway().catalogue.text(code, language) if code else ""
    html = render_template("stop_phone_change.html", language=language, found=found, message=message)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    # The address holds the token: no other site may learn it.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


# The support desk ----------------------------------------------------------------------------------------------------


@blueprint.get("/phone-tickets")
@blueprint.doc(operationId="list_phone_tickets")
@blueprint.arguments(schemas.QueueQuery, location="query")
@blueprint.response(200, schemas.Queue)
def list_phone_tickets(query: dict[str, Any]) -> dict[str, Any]:
    """The queue of support agents, oldest first, masked."""
    states = [query.pop("state")]
    return ask_page("identity", "list_phone_tickets", {**query, "states": states})


@blueprint.post(f"{TICKET}/claim")
@blueprint.doc(operationId="claim_phone_ticket")
@blueprint.response(200, schemas.QueuedTicket)
def claim_phone_ticket(ticket_id: uuid.UUID) -> dict[str, Any]:
    """Take a ticket on. Nobody else decides it for two hours, unless you put it back."""
    return tell("identity", "claim_phone_ticket", {"ticket_id": str(ticket_id)})


@blueprint.delete(f"{TICKET}/claim")
@blueprint.doc(operationId="put_back_phone_ticket")
@blueprint.response(200, schemas.QueuedTicket)
def put_back_phone_ticket(ticket_id: uuid.UUID) -> dict[str, Any]:
    """Put a ticket back into the queue."""
    return tell("identity", "put_back_phone_ticket", {"ticket_id": str(ticket_id)})


@blueprint.get(f"{TICKET}/details")
@blueprint.doc(operationId="view_phone_ticket")
@blueprint.response(200, schemas.TicketInHand)
def view_phone_ticket(ticket_id: uuid.UUID) -> dict[str, Any]:
    """What the ticket you have claimed says, in clear, and how it compares. Needs a fresh code; put on record."""
    return tell("identity", "view_phone_ticket", {"ticket_id": str(ticket_id)})


@blueprint.get(f"{TICKET}/photos/<uuid:evidence_id>")
@blueprint.doc(operationId="view_evidence", responses=IMAGE_DOCUMENT)
def view_evidence(ticket_id: uuid.UUID, evidence_id: uuid.UUID) -> Response:
    """A photo of the ticket you have claimed. Needs a fresh code; put on record."""
    extend_deadline(UPLOAD_SECONDS)
    found = tell("identity", "view_evidence", {"ticket_id": str(ticket_id), "evidence_id": str(evidence_id)})
    response = Response(evidence.open_image(found, str(evidence_id)), content_type=found["media_type"])
    response.headers["Content-Disposition"] = "inline"
    return response


@blueprint.post(f"{TICKET}/approval")
@blueprint.doc(operationId="approve_phone_ticket")
@blueprint.response(200, schemas.QueuedTicket)
def approve_phone_ticket(ticket_id: uuid.UUID) -> dict[str, Any]:
    """Approve: in 24 hours the phone is changed, unless the old number's holder stops it."""
    return tell("identity", "approve_phone_ticket", {"ticket_id": str(ticket_id)})


@blueprint.post(f"{TICKET}/rejection")
@blueprint.doc(operationId="reject_phone_ticket")
@blueprint.arguments(schemas.Rejection)
@blueprint.response(200, schemas.QueuedTicket)
def reject_phone_ticket(body: dict[str, Any], ticket_id: uuid.UUID) -> dict[str, Any]:
    """Reject, with a reason that the new phone is told."""
    return tell("identity", "reject_phone_ticket", {**body, "ticket_id": str(ticket_id)})
