"""A view that prints what another service put together: the owner is asked as the person, certs as the gateway."""

import base64
import hashlib
import types

import pytest

from gateway.openapi import Blueprint
from gateway.papers import PDF_DOCUMENT, print_document
from gateway.rpc import ask
from services.shared.actor import Kind
from services.shared.errors import Conflict
from services.shared.ids import new_id

DOCUMENT = {"title": {"zh": "缴款通知书"}, "at": "2026-03-01T00:00:00Z"}
PDF = b"%PDF-1.7 of the notice"
PRINTED = {"content": base64.b64encode(PDF).decode(), "sha256": hashlib.sha256(PDF).hexdigest(), "file_name": "x"}


@pytest.fixture
def app(make_app):
    blueprint = Blueprint("notices_of_bills", __name__, description="For this test")

    @blueprint.get("/bills/mine/notice")
    @blueprint.doc(operationId="get_payment_notice", responses=PDF_DOCUMENT)
    def get_payment_notice():
        """Print."""
        return print_document(ask("notes", "get_payment_notice"), "notice-2026-000123.pdf")

    return make_app(types.SimpleNamespace(blueprint=blueprint))


def test_the_owner_decides_as_the_person_and_certs_prints_for_the_gateway(client, bus, tokens):
    bus.answer("notes", "get_payment_notice", DOCUMENT)
    asked_of_certs = []

    def print_it(arguments, actor):
        asked_of_certs.append((arguments, actor))
        return PRINTED

    bus.answer("certs-render", "render_document", print_it)
    account_id = new_id()
    answer = client.get("/api/v1/bills/mine/notice", headers=tokens.headers(account_id))
    assert (answer.status_code, answer.data, answer.content_type) == (200, PDF, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notice-2026-000123.pdf"'
    assert "public" not in answer.headers["Cache-Control"]
    [asked] = bus.sent  # those of persons only
    assert asked.actor.account_id == account_id
    [(arguments, printer)] = asked_of_certs
    assert (printer.kind, printer.service) == (Kind.SERVICE, "gateway")
    assert arguments == {"document": DOCUMENT}


def test_what_cannot_be_printed_is_said(client, bus, tokens):
    bus.answer("notes", "get_payment_notice", DOCUMENT)
    bus.otherwise = Conflict("certs.name_not_printable", "", "U+1F600")
    answer = client.get("/api/v1/bills/mine/notice", headers=tokens.headers(new_id()))
    assert (answer.status_code, answer.json["code"]) == (409, "certs.name_not_printable")
