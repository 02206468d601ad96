"""Conversions over HTTP: each verb reaches its method, and bad input stops at the edge."""

from __future__ import annotations

import pytest

from gateway.blueprints import conversions as blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

TEACHER = str(new_id())
BODY = {"teacher_id": TEACHER, "source_ref": f"declaration:{TEACHER}", "reason": "调入认定"}
SHOWN = {"source_ref": BODY["source_ref"], "year": 2023, "unit": "CREDIT", "amount": "10.00", "state": "CONVERTED"}


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.fixture
def department(tokens):
    return {**tokens.headers(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440103")), "Idempotency-Key": str(new_id())}


def test_an_amount_is_converted_under_a_category(client, bus, department):
    bus.answer("credits", "convert_amount", SHOWN)
    answer = client.post("/api/v1/conversions", json={**BODY, "category": "专业科目"}, headers=department)
    assert (answer.status_code, answer.json["state"]) == (201, "CONVERTED")
    assert bus.sent[-1].arguments == {**BODY, "category": "专业科目"}


def test_it_is_undone(client, bus, department):
    bus.answer("credits", "undo_conversion", {**SHOWN, "state": "OPEN"})
    answer = client.post("/api/v1/conversions/undoing", json=BODY, headers=department)
    assert (answer.status_code, bus.sent[-1].arguments) == (200, BODY)


def test_the_own_amounts_are_asked_for_without_a_name(client, bus, tokens):
    bus.answer("credits", "list_conversions", {"teacher_id": TEACHER, "year": 2023, "unit": "HOUR", "items": [SHOWN]})
    answer = client.get("/api/v1/conversions?year=2023", headers=tokens.headers())
    assert (answer.status_code, bus.sent[-1].arguments) == (200, {"year": 2023})
    client.get(f"/api/v1/conversions?year=2023&teacher_id={TEACHER}", headers=tokens.headers())
    assert bus.sent[-1].arguments == {"year": 2023, "teacher_id": TEACHER}


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Conflict("credits.conversion_exists"), 409), (NotFound("credits.amount_unknown", "source_ref"), 404)],
)
def test_refusals_are_told_with_their_code(client, bus, department, refusal, status):
    bus.answer("credits", "convert_amount", refusal)
    answer = client.post("/api/v1/conversions", json=BODY, headers=department)
    assert (answer.status_code, answer.json["code"]) == (status, refusal.code)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"teacher_id": "x"}, "teacher_id"),
        ({"source_ref": ""}, "source_ref"),
        ({"x": 1}, "x"),
    ],
)
def test_bad_input_is_named(client, bus, department, change, field):
    answer = client.post("/api/v1/conversions", json={**BODY, **change}, headers=department)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []
