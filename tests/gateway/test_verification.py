"""Verification and complaints over HTTP: arguments arrive as the service needs them, and bad ones stop at the edge."""

from __future__ import annotations

import base64

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


@pytest.mark.parametrize(
    ("method", "verb", "path", "body"),
    [
        ("render_year_sheet", "get", "sheet", None),
        ("render_teacher_sheet", "post", "teacher-sheets", {"teacher_id": TEACHER, "reason": "年度验证盖章"}),
        ("render_school_list", "post", "school-lists", {"place": f"{COUNTY}/s1", "reason": "年度验证盖章"}),
    ],
)
def test_sheets_come_as_pdf_and_are_kept_by_nobody_else(client, bus, tokens, method, verb, path, body):
    content = base64.b64encode(b"%PDF-1.7").decode()
    bus.answer("certs-render", method, {"content": content, "sha256": "ab" * 32, "file_name": "year-2023.pdf"})
    headers = keyed(tokens.headers(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1")))
    options = {"json": body} if body else {}
    answer = getattr(client, verb)(f"/api/v1/year-verifications/2023/{path}", headers=headers, **options)
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"%PDF-1.7", "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="year-2023.pdf"'
    assert "private" in answer.headers["Cache-Control"]
    assert bus.sent[-1].arguments == {"year": 2023, **(body or {})}


def test_names_leave_only_with_a_purpose(client, bus, tokens):
    headers = keyed(tokens.headers(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1")))
    for path, body in (
        ("teacher-sheets", {"teacher_id": TEACHER}),
        ("school-lists", {"place": COUNTY, "reason": "  "}),
    ):
        answer = client.post(f"/api/v1/year-verifications/2023/{path}", json=body, headers=headers)
        assert answer.status_code == 400
    assert bus.sent == []


def test_a_list_of_years_is_of_one_place(client, bus, tokens):
    bus.answer("credits", "list_year_verifications", {"items": [], "next_cursor": ["CN/1", TEACHER]})
    headers = tokens.headers(None, (Role.COUNTY_ADMIN, COUNTY))
    first = client.get(f"/api/v1/year-verifications/2023/list?place={COUNTY}&met=false", headers=headers)
    query = {"place": COUNTY, "cursor": first.json["next_cursor"]}
    client.get("/api/v1/year-verifications/2023/list", query_string=query, headers=headers)
    assert [each.arguments["cursor"] for each in bus.sent] == [None, ["CN/1", TEACHER]]
    assert bus.sent[0].arguments["met"] is False
