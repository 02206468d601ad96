"""Routes of courses, periods and offerings: what they pass on and what they refuse before it travels."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.blueprints import courses as courses_blueprint
from gateway.blueprints import periods as periods_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict
from services.shared.ids import new_id

CITY = "CN/440000/440100"
CENTRE = (Role.CITY_CENTRE, CITY)
PERIOD_ID, OFFERING_ID, COURSE_ID, UNIT_ID = (str(new_id()) for _ in range(4))
COURSE: dict[str, Any] = {
    "course_no": "ZY001",
    "title": "教育心理学",
    "hour_type": "PROFESSIONAL",
    "course_type": "REMOTE",
    "hours": "18",
    "fee": "90.00",
    "applicant_unit_id": UNIT_ID,
    "charging_unit_id": UNIT_ID,
}
PERIOD = {
    "code": "2026-1",
    "title": "2026年第一期",
    "year": 2026,
    "selects_from": "2026-03-01T00:00:00+08:00",
    "selects_until": "2026-03-16T00:00:00+08:00",
    "due_on": "2026-03-31",
}
COMMANDS = [
    ("post", "/courses", "create_course", {"place": CITY, **COURSE}, {}, 201),
    ("put", f"/courses/{COURSE_ID}", "change_course", {"version": 1, **COURSE}, {"course_id": COURSE_ID}, 200),
    ("post", f"/courses/{COURSE_ID}/withdrawal", "withdraw_course", {"version": 1, "reason": "停开"},
     {"course_id": COURSE_ID}, 200),
    ("post", "/periods", "plan_period", {"place": CITY, **PERIOD}, {}, 201),
    ("put", f"/periods/{PERIOD_ID}", "revise_period", {"version": 1, **PERIOD}, {"period_id": PERIOD_ID}, 200),
    *(
        ("post", f"/periods/{PERIOD_ID}/{step}", method, {"version": 3}, {"period_id": PERIOD_ID}, 200)
        for step, method in (
            ("publication", "publish_period"),
            ("teaching", "begin_teaching"),
            ("grading", "finish_grading"),
            ("archive", "archive_period"),
        )
    ),
    ("post", f"/periods/{PERIOD_ID}/offerings", "add_offerings",
     {"offerings": [{"course_id": COURSE_ID, "capacity": None, "audience": {"segments": ["PRIMARY"]}}]},
     {"period_id": PERIOD_ID}, 201),
    ("put", f"/offerings/{OFFERING_ID}", "change_offering",
     {"version": 1, "capacity": 5, "audience": {"school_ids": [UNIT_ID]}}, {"offering_id": OFFERING_ID}, 200),
    ("post", f"/offerings/{OFFERING_ID}/withdrawal", "withdraw_offering", {"version": 1, "reason": "停开"},
     {"offering_id": OFFERING_ID}, 200),
]  # fmt: skip


@pytest.fixture
def client(make_app):
    return make_app(courses_blueprint, periods_blueprint).test_client()


@pytest.mark.parametrize(("verb", "path", "method", "body", "key", "status"), COMMANDS)
def test_each_act_travels_as_it_was_asked(client, bus, tokens, verb, path, method, body, key, status) -> None:
    bus.answer("catalog", method, {"items": []} if method == "add_offerings" else {"version": 4})
    headers = tokens.headers(None, CENTRE) | {"Idempotency-Key": "periods-0001"}
    answer = getattr(client, verb)(f"/api/v1{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.json
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == ({**key, **body}, "periods-0001")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/courses/{COURSE_ID}", "get_course"),
        (f"/courses/{COURSE_ID}/versions", "list_course_versions"),
        (f"/offerings/{OFFERING_ID}/versions", "list_offering_versions"),
        (f"/periods/{PERIOD_ID}", "get_course_period"),
        (f"/kept-periods/{PERIOD_ID}", "get_kept_period"),
    ],
)
def test_each_question_leads_to_its_method(client, bus, tokens, path, method) -> None:
    bus.answer("catalog", method, {"items": []})
    assert client.get(f"/api/v1{path}", headers=tokens.headers(None, CENTRE)).status_code == 200
    [value] = bus.sent[0].arguments.values()
    assert value in path


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/courses?place={CITY}&course_no=ZY001", "list_courses"),
        (f"/periods?place={CITY}&state=SELECTING", "list_course_periods"),
        (f"/kept-periods?place={CITY}", "list_kept_periods"),
        (f"/kept-periods/{PERIOD_ID}/offerings?state=OPEN", "list_kept_offerings"),
    ],
)
def test_lists_go_on_with_sealed_cursors(client, bus, tokens, path, method) -> None:
    last = str(new_id())
    bus.answer("catalog", method, {"items": [], "next_cursor": last})
    headers = tokens.headers(None, CENTRE)
    cursor = client.get(f"/api/v1{path}", headers=headers).json["next_cursor"]
    assert cursor != last
    again = "&" if "?" in path else "?"
    client.get(f"/api/v1{path}{again}cursor={cursor}", headers=headers)
    assert [sent.arguments["cursor"] for sent in bus.sent] == [None, last]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/courses", {"place": CITY, **COURSE, "hours": "1e3"}, "hours"),
        ("/courses", {"place": CITY, **COURSE, "fee": 90}, "fee"),
        ("/courses", {"place": CITY, **COURSE, "hour_type": "公需"}, "hour_type"),
        ("/courses", {"place": "广州", **COURSE}, "place"),
        ("/courses", {"place": CITY, **COURSE, "state": "OPEN"}, "state"),
        ("/periods", {"place": CITY, **PERIOD, "year": "2026"}, "year"),
        (f"/periods/{PERIOD_ID}/offerings", {"offerings": []}, "offerings"),
        (f"/periods/{PERIOD_ID}/offerings", {"offerings": [{"course_id": "x"}]}, "offerings.0.course_id"),
        (f"/offerings/{OFFERING_ID}/withdrawal", {"version": 1, "reason": " "}, "reason"),
    ],
)
def test_bad_bodies_are_refused_before_they_travel(client, bus, tokens, path, body, field) -> None:
    answer = client.post(f"/api/v1{path}", json=body, headers=tokens.headers(None, CENTRE))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_refusals_are_told_in_the_language_asked_for(client, bus, tokens) -> None:
    bus.answer("catalog", "publish_period", Conflict("catalog.nothing_offered"))
    headers = tokens.headers(None, CENTRE)
    path = f"/api/v1/periods/{PERIOD_ID}/publication"
    for language, words in (("zh", "尚无开设的课程"), ("en", "No course is offered")):
        answer = client.post(path, json={"version": 1}, headers=headers | {"Accept-Language": language})
        assert (answer.status_code, answer.json["code"]) == (409, "catalog.nothing_offered")
        assert words in answer.json["detail"]
