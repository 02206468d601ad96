"""Exams and question banks over HTTP: bodies are checked, answers have no way out, fences travel."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gateway.blueprints import catalog, exams, questions
from services.catalog import season_file
from services.shared.actor import Role
from services.shared.errors import Conflict
from services.shared.ids import new_id

ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "an exam"))
ATTEMPT = {
    "attempt_id": ID,
    "exam_id": ID,
    "programme_id": ID,
    "number": 1,
    "state": "OPEN",
    "fence": 1,
    "started_at": "2026-03-02T02:00:00.000000Z",
    "deadline_at": "2026-03-02T03:00:00.000000Z",
    "ended_at": None,
    "remaining_seconds": 3600,
    "questions": 1,
    "answered": 0,
    "pass_mark": 60,
    "score": None,
    "passed": None,
    "titles": {"zh": "考试", "en": "Exam"},
    "items": [],
}


@pytest.fixture
def client(make_app: Any) -> Any:
    return make_app(exams, questions, catalog).test_client()


@pytest.fixture
def headers(tokens: Any) -> Any:
    return {**tokens.headers(new_id()), "Idempotency-Key": "exam-1-key"}


def test_an_attempt_begins_and_tells_no_answer_even_if_a_service_did(client: Any, bus: Any, headers: Any) -> None:
    item = {"question_id": ID, "kind": "SINGLE", "prompt": "?", "options": ["甲", "乙"], "answers": ["甲"]}
    bus.answer("learning", "start_exam_attempt", {**ATTEMPT, "items": [item]})
    body = {"client_id": "device-one"}
    response = client.post(f"/api/v1/exams/{ID}/attempts", json=body, headers=headers)
    assert (response.status_code, response.json["remaining_seconds"]) == (201, 3600)
    assert "answers" not in response.text
    [sent] = bus.sent
    assert sent.arguments == {"client_id": "device-one", "take_over": False, "exam_id": ID}
    assert response.headers["Cache-Control"] == "private, no-store"


def test_answers_go_with_the_fence_and_the_key(client: Any, bus: Any, headers: Any) -> None:
    bus.answer(
        "learning", "save_exam_answers", {"attempt_id": ID, "answered": 1, "questions": 1, "remaining_seconds": 9}
    )
    body = {"fence": 2, "answers": [{"question_id": ID, "given": ["甲"]}]}
    response = client.put(f"/api/v1/exam-attempts/{ID}/answers", json=body, headers=headers)
    assert response.status_code == 200
    [sent] = bus.sent
    assert (sent.arguments, sent.command_id) == ({**body, "attempt_id": ID}, "exam-1-key")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"answers": [{"question_id": ID, "given": []}]}, "fence"),
        ({"fence": 1, "answers": []}, "answers"),
        ({"fence": "1", "answers": [{"question_id": ID, "given": []}]}, "fence"),
        ({"fence": 1, "answers": [{"question_id": "x", "given": []}]}, "answers.0.question_id"),
        ({"fence": 1, "answers": [{"question_id": ID, "given": "甲"}]}, "answers.0.given"),
        ({"fence": 1, "answers": [{"question_id": ID, "given": ["甲"] * 11}]}, "answers.0.given"),
        ({"fence": 1, "answers": [{"question_id": ID, "given": []}], "score": 100}, "score"),
    ],
)
def test_bad_answers_are_refused_with_their_place(client: Any, bus: Any, headers: Any, body: Any, field: str) -> None:
    response = client.put(f"/api/v1/exam-attempts/{ID}/answers", json=body, headers=headers)
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


def test_what_a_late_answer_is_told(client: Any, bus: Any, headers: Any) -> None:
    bus.answer("learning", "submit_exam_attempt", Conflict("learning.attempt_over"))
    response = client.post(f"/api/v1/exam-attempts/{ID}/submission", json={"fence": 1}, headers=headers)
    assert (response.status_code, response.json["code"]) == (409, "learning.attempt_over")


def test_a_season_with_banks_and_an_exam_can_be_published_as_it_is(client: Any, bus: Any, tokens: Any) -> None:
    season = season_file.read_shipped_season("2026-putian-50h")
    reply = {"programme_id": ID, "code": season["code"], "version": 1, "content_hash": "ab", "published": True}
    bus.answer("catalog", "publish_programme", reply)
    operator = tokens.headers(None, (Role.NATIONAL_OPERATOR, "CN"))
    assert client.post("/api/v1/programmes", json=season, headers=operator).status_code == 200
    [sent] = bus.sent
    assert sent.arguments == season


def test_a_bank_is_imported_as_a_draft(client: Any, bus: Any, tokens: Any) -> None:
    [bank, *_] = season_file.read_shipped_season("2026-putian-50h")["question_banks"]
    shown = {name: bank[name] for name in ("code", "place", "titles")}
    reply = {
        **shown,
        "bank_id": ID,
        "version": 0,
        "questions": 0,
        "has_draft": True,
        "changed_at": "2026-01-01T00:00:00Z",
    }
    bus.answer("catalog", "import_question_bank", reply)
    keeper = tokens.headers(None, (Role.CITY_CENTRE, "CN/350000/350300"))
    response = client.post("/api/v1/question-banks", json=bank, headers=keeper)
    assert (response.status_code, response.json) == (200, reply)
    assert client.post("/api/v1/question-banks", json={**bank, "questions": []}, headers=keeper).status_code == 400
    assert client.post("/api/v1/question-banks", json=bank).status_code == 401 or bus.sent[-1].arguments == bank
