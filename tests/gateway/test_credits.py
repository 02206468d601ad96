"""Hours and ledger over HTTP: reasons get their words, and arguments reach the service as they must."""

from __future__ import annotations

import pytest

from gateway.blueprints import credits as blueprint
from services.credits import contract
from services.credits.rules import Reason
from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotFound, Unavailable
from services.shared.ids import new_id

PROGRAMME_ID, TEACHER_ID, ENTRY_ID = (str(new_id()) for _ in range(3))
COURSE = {
    "course_id": PROGRAMME_ID,
    "key": "course_c",
    "title": "课程",
    "studied_seconds": 1800,
    "counted_seconds": 900,
    "hours": "0.00",
    "reasons": ["quiz_unanswered", "below_threshold", "of_the_future"],
}
HOURS = {
    "teacher_id": TEACHER_ID,
    "programme_id": PROGRAMME_ID,
    "hours": "0.00",
    "courses": [COURSE],
    "requirement_met": False,
}


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.mark.parametrize(("language", "position"), [("zh", 0), ("en", 1)])
def test_every_reason_is_told_in_the_readers_language(client, bus, tokens, language, position):
    bus.answer("credits", "get_hours", HOURS)
    bus.answer("learning", "tell_progress", {"told": 0})
    headers = {**tokens.headers(), "Accept-Language": language}
    [course] = client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours", headers=headers).json["courses"]
    assert course["reasons"] == COURSE["reasons"]
    assert [each["message"] for each in course["explanations"]] == [
        contract.REASONS["quiz_unanswered"][position],
        contract.REASONS["below_threshold"][position],
        "of_the_future",
    ]


def test_every_reason_of_the_engine_has_words():
    # Learning names the superseded session; the engine meets only time that was earned.
    assert set(contract.REASONS) == {str(reason) for reason in Reason} | {"session_superseded"}


def test_an_administrator_names_the_teacher(client, bus, tokens):
    bus.answer("credits", "get_hours", HOURS)
    bus.answer("learning", "tell_progress", {"told": 0})
    client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours?teacher_id={TEACHER_ID}", headers=tokens.headers())
    client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours", headers=tokens.headers())
    assert [(sent.method, sent.arguments) for sent in bus.sent] == [
        ("get_hours", {"programme_id": PROGRAMME_ID, "teacher_id": TEACHER_ID}),
        ("tell_progress", {"programme_id": PROGRAMME_ID}),
        ("get_hours", {"programme_id": PROGRAMME_ID}),
    ]


@pytest.mark.parametrize(("told", "coming"), [({"told": 2}, True), ({"told": 0}, False)])
def test_who_looks_has_the_study_of_the_last_minutes_recognised(client, bus, tokens, told, coming):
    bus.answer("learning", "tell_progress", told)
    bus.answer("credits", "get_hours", HOURS)
    answer = client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours", headers=tokens.headers())
    assert (answer.status_code, answer.json["being_recognised"]) == (200, coming)
    assert "Idempotency-Key" not in answer.headers


def test_hours_are_shown_while_learning_is_away(client, bus, tokens):
    bus.answer("learning", "tell_progress", Unavailable("shared.deadline"))
    bus.answer("credits", "get_hours", HOURS)
    answer = client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours", headers=tokens.headers())
    assert (answer.status_code, answer.json["being_recognised"]) == (200, False)


def test_somebody_elses_hours_do_not_exist(client, bus, tokens):
    bus.answer("learning", "tell_progress", {"told": 0})
    bus.answer("credits", "get_hours", NotFound("credits.not_enrolled", "programme_id"))
    refused = client.get(f"/api/v1/programmes/{PROGRAMME_ID}/hours", headers=tokens.headers())
    assert (refused.status_code, refused.json["code"]) == (404, "credits.not_enrolled")


def test_the_ledger_is_paged_by_sealed_cursors(client, bus, tokens):
    bus.answer("credits", "list_ledger", {"items": [], "next_cursor": ENTRY_ID})
    headers = tokens.headers()
    cursor = client.get("/api/v1/ledger?year=2023&limit=2", headers=headers).json["next_cursor"]
    assert cursor != ENTRY_ID
    client.get("/api/v1/ledger", query_string={"cursor": cursor, "teacher_id": TEACHER_ID}, headers=headers)
    assert [sent.arguments for sent in bus.sent] == [
        {"year": 2023, "cursor": None, "limit": 2},
        {"teacher_id": TEACHER_ID, "year": None, "cursor": ENTRY_ID, "limit": 50},
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [("year=next", "year"), ("year=1", "year"), ("limit=0", "limit"), ("teacher_id=me", "teacher_id"), ("x=1", "x")],
)
def test_faulty_queries_are_named(client, bus, tokens, query, field):
    refused = client.get(f"/api/v1/ledger?{query}", headers=tokens.headers())
    assert (refused.status_code, refused.json["field"]) == (400, field)
    assert bus.sent == []


def test_a_document_reaches_the_rules_whole_and_its_fault_comes_back_with_its_place(client, bus, tokens):
    document = {"kind": "ledger", "pack": "guangxi-2016", "years": [2021], "entries": []}
    bus.answer("credits", "evaluate_rules", {"years": [], "cycle": {"met": False}, "trace": []})
    answer = client.post("/api/v1/rule-evaluations", json=document, headers=tokens.headers())
    assert (answer.status_code, answer.json["cycle"]) == (200, {"met": False})
    assert bus.sent[-1].arguments == document
    bus.answer("credits", "evaluate_rules", InvalidInput("credits.year_outside", "years.0"))
    refused = client.post("/api/v1/rule-evaluations", json=document, headers=tokens.headers())
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (
        400,
        "credits.year_outside",
        "years.0",
    )


def test_the_packs_are_listed_for_visitors(client, bus):
    pack = {"id": "guangxi-2016", "status": "ACTIVE", "valid_from": "2016-01-01", "valid_to": None}
    bus.answer("credits", "list_packs", {"items": [pack]})
    answer = client.get("/api/v1/rule-packs")
    assert (answer.status_code, answer.json["items"]) == (200, [pack])


def test_held_grades_of_a_place_by_pages(client, bus, tokens):
    held = {"choice_id": str(new_id()), "teacher_id": str(new_id()), "course_no": "C1", "title": "课程"}
    held |= {"passed": True, "hours": "18.00", "year": 2023, "state": "HELD", "recorded_at": "", "changed_at": ""}
    bus.answer("credits", "list_held_grades", {"items": [held], "next_cursor": held["choice_id"]})
    headers = tokens.headers(None, (Role.DISTRICT_INSTITUTION, "CN/440000/440100/440103"))
    asked = {"place": "CN/440000/440100/440103", "state": "HELD", "year": "2023"}
    page = client.get("/api/v1/held-grades", query_string=asked, headers=headers).json
    assert page["items"] == [held]
    assert bus.sent[-1].arguments == {**asked, "year": 2023, "cursor": None, "limit": 50}
    refused = client.get("/api/v1/held-grades", query_string={**asked, "state": "ENTERED"}, headers=headers)
    assert (refused.status_code, refused.json["field"]) == (400, "state")
