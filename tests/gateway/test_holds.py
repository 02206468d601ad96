"""Routes of holds: what they pass on, what they refuse, what they merge."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import holds as holds_blueprint
from services.shared.actor import Role
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

PLACE = "CN/440000/440100/440104"
API = "/api/v1"
NUMBER = "9000000000001"
CENTRE = (Role.CITY_CENTRE, "CN/440000/440100")


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(holds_blueprint).test_client()


@pytest.mark.parametrize("name", [{"learner_no": NUMBER}, {"teacher_id": str(uuid.uuid4())}])
def test_a_hold_is_placed_by_number_or_account(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, name: dict[str, str]
) -> None:
    bus.answer("billing", "place_hold", {"hold_id": str(new_id()), "occurrence": 1, "evidence": []})
    body = {**name, "kind": "SPECIAL_USER", "reason": "未缴费"}
    assert client.post(f"{API}/holds", json=body, headers=tokens.headers(None, CENTRE)).status_code == 201
    assert bus.sent[0].arguments == body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "SPECIAL_USER", "reason": "误"}, "teacher_id"),
        ({"kind": "SPECIAL_USER", "reason": "误", "learner_no": NUMBER, "teacher_id": str(uuid.uuid4())}, "teacher_id"),
        ({"kind": "DEBT", "reason": "误", "learner_no": NUMBER}, "kind"),
        ({"kind": "SPECIAL_USER", "learner_no": NUMBER}, "reason"),
        ({"kind": "SPECIAL_USER", "reason": "误", "learner_no": NUMBER, "occurrence": 0}, "occurrence"),
    ],
)
def test_a_hold_with_a_fault_never_reaches_the_service(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, body: dict[str, Any], field: str
) -> None:
    answer = client.post(f"{API}/holds", json=body, headers=tokens.headers(None, CENTRE))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_holds_are_lifted_one_by_one_and_many_at_once(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    one, two, headers = new_id(), new_id(), tokens.headers(None, CENTRE)
    bus.answer("billing", "lift_hold", {"hold_id": str(one), "evidence": ["ID_DOCUMENT"]})
    body = {"evidence": ["ID_DOCUMENT"], "reason": "已缴费"}
    assert client.post(f"{API}/holds/{one}/lifting", json=body, headers=headers).json["evidence"] == ["ID_DOCUMENT"]
    assert bus.sent[0].arguments == {"hold_id": str(one), **body}
    rows = [
        {"hold_id": str(one), "outcome": "DONE", "code": ""},
        {"hold_id": str(two), "outcome": "REFUSED", "code": "billing.hold_lifted"},
    ]
    bus.answer("billing", "lift_holds", {"rows": rows})
    many = {
        "hold_ids": [str(one), str(two)],
        "evidence": ["STAFF_ID", "STAMPED_APPLICATION"],
        "period": "2022年下半年",
        "course": "班级管理",
        "reason": "学校统一缴费",
    }
    answer = client.post(f"{API}/holds/liftings", json=many, headers=headers)
    assert [row["message"] for row in answer.json["rows"]] == ["", "该限制已经解除。"]
    assert bus.sent[1].arguments == many


@pytest.mark.parametrize("evidence", [["PASSPORT"], "ID_DOCUMENT", [None], ["ID_DOCUMENT"] * 5])
def test_evidence_is_of_a_known_kind(client: FlaskClient, bus: FakeBus, tokens: Tokens, evidence: Any) -> None:
    body = {"evidence": evidence, "reason": "已缴费"}
    answer = client.post(f"{API}/holds/{new_id()}/lifting", json=body, headers=tokens.headers(None, CENTRE))
    assert answer.status_code == 400
    assert bus.sent == []


def test_holds_are_listed(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    teacher = new_id()
    item = {"hold_id": str(new_id()), "teacher_id": str(teacher), "evidence": []}
    bus.answer("billing", "list_holds", {"items": [item], "next_cursor": None})
    bus.answer("billing", "list_own_holds", {"items": [item]})
    bus.answer("identity", "list_people", {"people": [{"account_id": str(teacher), "name": "张*"}]})
    query = f"place={PLACE}&kind=SPECIAL_USER&state=ACTIVE"
    answer = client.get(f"{API}/holds?{query}", headers=tokens.headers(None, CENTRE))
    assert answer.json["items"][0]["person"] == {"name": "张*"}
    assert client.get(f"{API}/holds/me", headers=tokens.headers()).json["items"] == [item]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/holds", {"kind": "SPECIAL_USER", "reason": "误", "learner_no": NUMBER}),
        ("get", "/holds/me", None),
    ],
)
def test_a_visitor_must_sign_in(client: FlaskClient, method: str, path: str, body: Any) -> None:
    answer = getattr(client, method)(API + path, json=body) if body else getattr(client, method)(API + path)
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")
