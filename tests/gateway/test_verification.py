"""Verification and complaints over HTTP: arguments arrive as the service needs them, and bad ones stop at the edge."""

from __future__ import annotations

import pytest

from gateway.blueprints import verification as blueprint
from services.shared.actor import Role
from services.shared.ids import new_id

ID, TEACHER = str(new_id()), str(new_id())
COUNTY = "CN/450000/450100/450103"


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


def keyed(headers):
    return {**headers, "Idempotency-Key": str(new_id())}


def test_a_year_is_asked_for_with_its_moment(client, bus, tokens):
    bus.answer("credits", "get_year_verification", {"teacher_id": TEACHER, "year": 2023, "state": "OPEN"})
    query = f"teacher_id={TEACHER}&as_of=2023-11-21T10:00:00%2B08:00"
    answer = client.get(f"/api/v1/year-verifications/2023?{query}", headers=tokens.headers())
    assert (answer.status_code, answer.json["state"]) == (200, "OPEN")
    assert bus.sent[-1].arguments == {"year": 2023, "teacher_id": TEACHER, "as_of": "2023-11-21T10:00:00+08:00"}


def test_the_matrix_is_ones_own_unless_named(client, bus, tokens):
    bus.answer("credits", "get_credit_matrix", {"rows": []})
    client.get("/api/v1/credit-matrix", headers=tokens.headers())
    assert bus.sent[-1].arguments == {}


def test_an_answer_carries_its_corrections(client, bus, tokens):
    bus.answer("credits", "answer_complaint", {"complaint_id": ID, "state": "ANSWERED"})
    body = {"accepted": True, "reply": "补记", "corrections": [{"amount": "6"}, {"reverse_entry_id": TEACHER}]}
    headers = keyed(tokens.headers(None, (Role.COUNTY_ADMIN, COUNTY)))
    answer = client.post(f"/api/v1/complaints/{ID}/answer", json=body, headers=headers)
    assert (answer.status_code, bus.sent[-1].arguments) == (200, {"complaint_id": ID, **body})


@pytest.mark.parametrize(
    ("verb", "method", "body"),
    [
        ("closing", "close_complaint", {}),
        ("reopening", "reopen_complaint", {"text": "仍有异议"}),
    ],
)
def test_the_teachers_verbs(client, bus, tokens, verb, method, body):
    bus.answer("credits", method, {"complaint_id": ID})
    answer = client.post(f"/api/v1/complaints/{ID}/{verb}", json=body or None, headers=keyed(tokens.headers()))
    assert (answer.status_code, bus.sent[-1].arguments) == (200, {"complaint_id": ID, **body})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"year": 2023, "about": "WEATHER", "text": "x"}, "about"),
        ({"year": 2023, "about": "OTHER", "text": "  "}, "text"),
        ({"year": "2023", "about": "OTHER", "text": "x"}, "year"),
        ({"year": 2023, "about": "OTHER", "text": "x", "name": "张三"}, "name"),
    ],
)
def test_bad_complaints_are_named(client, bus, tokens, body, field):
    answer = client.post("/api/v1/complaints", json=body, headers=keyed(tokens.headers()))
    assert (answer.status_code, answer.json["field"], bus.sent) == (400, field, [])


def test_a_year_that_is_none_is_no_page(client, tokens):
    assert client.get("/api/v1/year-verifications/soon", headers=tokens.headers()).status_code == 404
