"""Routes of transfers: what they pass on, what they refuse, what they merge."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import transfers as transfers_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

PLACE = "CN/440000/440100/440104"
API = "/api/v1"
NUMBER = "9000000000001"
ADMIN = (Role.SCHOOL_ADMIN, f"{PLACE}/s{'0' * 32}")
COUNTY = (Role.COUNTY_ADMIN, PLACE)
CENTRE = (Role.CITY_CENTRE, "CN/440000/440100")


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(transfers_blueprint).test_client()


def transfer(teacher_id: uuid.UUID, **changes: Any) -> dict[str, Any]:
    return {"transfer_id": str(new_id()), "teacher_id": str(teacher_id), "state": "PENDING", **changes}


def test_a_request_travels_as_a_command_and_its_number_only_in_the_body(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    school = new_id()
    bus.answer("org", "request_transfer", transfer(new_id()))
    body = {"school_id": str(school), "learner_no": NUMBER, "note": "随迁"}
    headers = tokens.headers(None, ADMIN) | {"Idempotency-Key": "ask-00001"}
    assert client.post(f"{API}/transfers", json=body, headers=headers).status_code == 201
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == (body, "ask-00001")


@pytest.mark.parametrize("number", ["", "123", "0000000000001", NUMBER + "1", "９000000000001", 9000000000001, None])
@pytest.mark.parametrize("path", ["/transfers", "/transfers/preview"])
def test_a_learner_number_has_its_form(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, number: Any
) -> None:
    body = {"school_id": str(new_id()), "learner_no": number}
    answer = client.post(API + path, json=body, headers=tokens.headers(None, ADMIN))
    assert (answer.status_code, answer.json["field"]) == (400, "learner_no")
    assert bus.sent == []


def test_looking_first_explains_what_stands_in_the_way(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    found = {"school_id": str(new_id()), "school_name": "甲校", "level": None, "refusal": "org.transfer_arrears"}
    bus.answer("org", "preview_transfer", found)
    body = {"school_id": str(new_id()), "learner_no": NUMBER}
    answer = client.post(f"{API}/transfers/preview", json=body, headers=tokens.headers(None, ADMIN))
    assert answer.json == {**found, "message": "该教师有往期选课未缴费记录，须先由收费单位处理。"}
    bus.answer("org", "preview_transfer", {**found, "refusal": ""})
    answer = client.post(f"{API}/transfers/preview", json=body, headers=tokens.headers(None, ADMIN))
    assert answer.json["message"] == ""


@pytest.mark.parametrize(
    ("path", "method"), [(f"/transfers?place={PLACE}", "list_transfers"), ("/transfers/to-decide", "list_transfers_to_decide")]
)  # fmt: skip
def test_lists_come_with_masked_names(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, method: str
) -> None:
    seen, hidden = new_id(), new_id()
    bus.answer("org", method, {"items": [transfer(seen), transfer(hidden)], "next_cursor": str(hidden)})
    bus.answer("identity", "list_people", {"people": [{"account_id": str(seen), "name": "张*"}]})
    answer = client.get(API + path, headers=tokens.headers(None, COUNTY))
    assert [item["person"] for item in answer.json["items"]] == [{"name": "张*"}, None]
    assert answer.json["next_cursor"] != str(hidden)
    assert [sent.method for sent in bus.sent] == [method, "list_people"]


def test_the_own_transfers_ask_nobody_for_a_name(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org", "list_own_transfers", {"items": [transfer(new_id())], "next_cursor": None})
    assert client.get(f"{API}/transfers/me", headers=tokens.headers()).status_code == 200
    assert [sent.method for sent in bus.sent] == ["list_own_transfers"]


@pytest.mark.parametrize(
    ("verb", "method", "body", "who"),
    [
        ("approval", "approve_transfer", None, COUNTY),
        ("rejection", "reject_transfer", {"reason": "编制已满"}, COUNTY),
        ("withdrawal", "withdraw_transfer", {}, ADMIN),
        ("withdrawal", "withdraw_transfer", {"reason": "误报"}, ADMIN),
    ],
)
def test_a_step_is_passed_on_and_its_refusal_explained(
    client: FlaskClient,
    bus: FakeBus,
    tokens: Tokens,
    verb: str,
    method: str,
    body: dict[str, str] | None,
    who: tuple[Role, str],
) -> None:
    wanted, headers = new_id(), tokens.headers(None, who)
    bus.answer("org", method, transfer(new_id()))
    options = {} if body is None else {"json": body}
    assert client.post(f"{API}/transfers/{wanted}/{verb}", headers=headers, **options).status_code == 200
    assert bus.sent[0].arguments == {"transfer_id": str(wanted), **(body or {})}
    for refusal, status in ((Conflict("org.transfer_decided"), 409), (NotFound("org.transfer_unknown"), 404)):
        bus.answer("org", method, refusal)
        answer = client.post(f"{API}/transfers/{wanted}/{verb}", headers=headers, **options)
        assert (answer.status_code, answer.json["code"]) == (status, refusal.code)


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "长" * 201}, {"because": "误"}])
def test_a_rejection_needs_its_reason(client: FlaskClient, bus: FakeBus, tokens: Tokens, body: dict[str, str]) -> None:
    headers = tokens.headers(None, COUNTY)
    assert client.post(f"{API}/transfers/{new_id()}/rejection", json=body, headers=headers).status_code == 400
    assert bus.sent == []


def test_one_transfer_with_its_person(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    teacher = new_id()
    bus.answer("org", "get_transfer", transfer(teacher))
    bus.answer("identity", "list_people", {"people": [{"account_id": str(teacher), "name": "张*"}]})
    answer = client.get(f"{API}/transfers/{new_id()}", headers=tokens.headers(None, COUNTY))
    assert answer.json["person"] == {"name": "张*"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/transfers", {"school_id": str(uuid.uuid4()), "learner_no": NUMBER}),
        ("get", f"/transfers?place={PLACE}", None),
        ("get", "/transfers/me", None),
        ("post", f"/transfers/{uuid.uuid4()}/approval", None),
    ],
)
def test_a_visitor_must_sign_in(client: FlaskClient, method: str, path: str, body: Any) -> None:
    answer = getattr(client, method)(API + path, json=body) if body else getattr(client, method)(API + path)
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")
