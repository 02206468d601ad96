"""Routes of bills and payments: what they pass on, what they refuse, what they print."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import billing as blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

API = "/api/v1"
CITY = "CN/440000/440100"
PLACE = f"{CITY}/440104"
CENTRE = (Role.CITY_CENTRE, CITY)
ADMIN = (Role.SCHOOL_ADMIN, f"{PLACE}/s{'0' * 32}")


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(blueprint).test_client()


def money(**changes: Any) -> dict[str, Any]:
    body = {"bill_id": str(new_id()), "amount": "100.00", "receipt_no": "GZ-0001", "paid_on": "2023-01-10"}
    return {**body, **changes}


def test_a_payment_travels_as_a_command_with_its_key(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("billing", "register_payment", {"payment_id": str(new_id()), "state": "MATCHED"})
    body = money(choice_ids=[str(new_id())], payer="实验小学")
    headers = tokens.headers(None, CENTRE) | {"Idempotency-Key": "pay-00001"}
    answer = client.post(f"{API}/payments", json=body, headers=headers)
    assert (answer.status_code, answer.json["state"]) == (201, "MATCHED")
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == (body, "pay-00001")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 100.0}, "amount"),
        ({"amount": "1,000.00"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"receipt_no": "a"}, "receipt_no"),
        ({"receipt_no": "=1+1"}, "receipt_no"),
        ({"paid_on": "2023-13-01"}, "paid_on"),
        ({"bill_id": "1"}, "bill_id"),
        ({"choice_ids": ["x"]}, "choice_ids.0"),
        ({"state": "MATCHED"}, "state"),
    ],
)
def test_a_payment_with_a_fault_never_reaches_the_service(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, changes: dict[str, Any], field: str
) -> None:
    answer = client.post(f"{API}/payments", json=money(**changes), headers=tokens.headers(None, CENTRE))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_the_notice_is_printed_by_certs_from_what_billing_says(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    bill = new_id()
    document = {"title": {"zh": "缴款通知书"}, "reference": "202300000018-1", "at": "2023-01-10T02:00:00Z"}
    bus.answer("billing", "print_notice", document)
    bus.answer("billing", "get_declaration_form", document)
    printed = {"content": base64.b64encode(b"%PDF-1.7").decode(), "sha256": "0" * 64, "file_name": "x.pdf"}
    bus.answer("certs-render", "render_document", printed)
    headers = tokens.headers(None, ADMIN)
    for act, name in (
        (lambda: client.post(f"{API}/bills/{bill}/notice", headers=headers), "notice"),
        (lambda: client.get(f"{API}/bills/{bill}/declaration-form", headers=headers), "declaration"),
    ):
        answer = act()
        assert (answer.status_code, answer.data, answer.content_type) == (200, b"%PDF-1.7", "application/pdf")
        assert f"{name}-202300000018-1.pdf" in answer.headers["Content-Disposition"]


def test_what_cannot_be_printed_says_why(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("billing", "print_notice", Conflict("billing.nothing_to_pay"))
    headers = tokens.headers(None, ADMIN) | {"Accept-Language": "en"}
    answer = client.post(f"{API}/bills/{new_id()}/notice", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "billing.nothing_to_pay")


def test_lists_are_passed_on_with_names_where_there_are_people(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    teacher, headers = new_id(), tokens.headers(None, CENTRE)
    bus.answer("identity", "list_people", {"people": [{"account_id": str(teacher), "name": "张*"}]})
    for path, method, named in (
        ("bills", "list_bills", False),
        ("bill-lines", "list_bill_lines", True),
        ("payments", "list_payments", False),
        ("overdue-teachers", "list_overdue", True),
    ):
        bus.answer("billing", method, {"items": [{"teacher_id": str(teacher)}], "next_cursor": None})
        answer = client.get(f"{API}/{path}?place={CITY}&limit=5", headers=headers)
        assert answer.status_code == 200
        assert (answer.json["items"][0].get("person") == {"name": "张*"}) is named
    assert client.get(f"{API}/bills?place={CITY}&state=DONE", headers=headers).json["field"] == "state"
    assert client.get(f"{API}/bills", headers=headers).json["field"] == "place"


def test_a_confirmation_explains_each_refusal(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    row = {"teacher_id": str(new_id()), "outcome": "REFUSED", "code": "billing.not_overdue"}
    bus.answer("billing", "confirm_special_users", {"rows": [row]})
    body = {"period_id": str(new_id()), "teacher_ids": [row["teacher_id"]]}
    answer = client.post(f"{API}/special-users", json=body, headers=tokens.headers(None, CENTRE))
    assert answer.json["rows"][0]["message"] == "该教师在这一期没有逾期未缴的课程。"
    many = {**body, "teacher_ids": [str(new_id())] * 201}
    assert client.post(f"{API}/special-users", json=many, headers=tokens.headers(None, CENTRE)).status_code == 400


def test_money_is_assigned_settled_and_given_back(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    headers, bill, payment = tokens.headers(None, CENTRE), str(new_id()), str(new_id())
    bus.answer("billing", "assign_payment", {"payment_id": payment, "state": "MATCHED"})
    bus.answer("billing", "settle_lines", {"bill_id": bill, "state": "PAID"})
    bus.answer("billing", "register_refund", {"payment_id": payment, "amount": "-5.00"})
    assert (
        client.post(f"{API}/payments/{payment}/assignment", json={"bill_id": bill}, headers=headers).status_code == 200
    )
    lines = {"choice_ids": [str(new_id())]}
    assert client.post(f"{API}/bills/{bill}/settlement", json=lines, headers=headers).json["state"] == "PAID"
    back = {"amount": "5.00", "receipt_no": "T-0001", "paid_on": "2023-01-10", "reason": "重复缴费"}
    assert client.post(f"{API}/bills/{bill}/refunds", json=back, headers=headers).status_code == 201
    assert [sent.arguments for sent in bus.sent] == [
        {"payment_id": payment, "bill_id": bill},
        {"bill_id": bill, **lines},
        {"bill_id": bill, **back},
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", f"/bills?place={CITY}"),
        ("get", f"/bills/{uuid.uuid4()}"),
        ("post", f"/bills/{uuid.uuid4()}/notice"),
        ("get", "/orders/me"),
        ("get", "/orders/me/dues"),
    ],
)
def test_a_visitor_must_sign_in(client: FlaskClient, method: str, path: str) -> None:
    answer = getattr(client, method)(API + path)
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")
