"""Routes of special training: what they pass on and what they refuse."""

from __future__ import annotations

import pytest

from gateway.blueprints import special_training as blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict
from services.shared.ids import new_id

CITY = "CN/440000/440100"
SCHOOL = f"{CITY}/440103/s{new_id().hex}"
GRANTS = ((Role.TRAINING_INSTITUTION, SCHOOL), (Role.PRINCIPAL, SCHOOL))
PROJECT_ID, APPLICATION_ID, SESSION_ID = (str(new_id()) for _ in range(3))
PROJECT = {
    "title": "骨干教师专项培训",
    "level": "CITY",
    "course_type": "FACE_TO_FACE",
    "hour_type": "PROFESSIONAL",
    "amount": "24.00",
    "institution_unit_id": str(new_id()),
    "starts_on": "2026-03-01",
    "ends_on": "2026-03-31",
    "applies_from": "2026-02-01T00:00:00+08:00",
    "applies_until": "2026-02-20T00:00:00+08:00",
    "audience": {"subjects": ["语文"], "school_ids": [str(new_id())]},
}
LESSON = {"title": "第一讲", "starts_at": "2026-03-01T09:00:00+08:00", "ends_at": "2026-03-01T12:00:00+08:00"}
RESULTS = {"results": [{"application_id": APPLICATION_ID, "passed": True}]}
ABOUT, APPLICATION, SESSION = (
    {"project_id": PROJECT_ID}, {"application_id": APPLICATION_ID}, {"session_id": SESSION_ID},
)  # fmt: skip
ON_PROJECT, ON_APPLICATION, ON_SESSION = (
    f"/training-projects/{PROJECT_ID}", f"/training-applications/{APPLICATION_ID}", f"/class-sessions/{SESSION_ID}",
)  # fmt: skip
COMMANDS = [
    ("post", "/training-projects", "catalog.create_training_project", {"place": CITY, **PROJECT}, {}, 201),
    ("put", ON_PROJECT, "catalog.change_training_project", {"version": 1, **PROJECT}, ABOUT, 200),
    ("post", f"{ON_PROJECT}/publication", "catalog.publish_training_project", {"version": 1}, ABOUT, 200),
    ("post", f"{ON_PROJECT}/withdrawal", "catalog.withdraw_training_project", {"version": 2, "reason": "停办"}, ABOUT, 200),
    ("post", f"{ON_PROJECT}/applications", "learning.apply_for_training", {"statement": "申请"}, ABOUT, 201),
    ("post", f"{ON_APPLICATION}/withdrawal", "learning.take_back_training_application", None, APPLICATION, 200),
    ("post", f"{ON_APPLICATION}/approval", "learning.pass_training_application", {"stage": "SCHOOL_REVIEW"}, APPLICATION, 200),
    ("post", f"{ON_APPLICATION}/rejection", "learning.reject_training_application",
     {"stage": "DISTRICT_REVIEW", "reason": "名额有限"}, APPLICATION, 200),
    ("put", f"{ON_PROJECT}/class/notice", "learning.publish_class_notice", {"title": "开班通知", "text": "请按时参加"}, ABOUT, 200),
    ("post", f"{ON_PROJECT}/class/sessions", "learning.add_class_sessions", {"sessions": [LESSON]}, ABOUT, 201),
    ("delete", ON_SESSION, "learning.remove_class_session", None, SESSION, 200),
    ("post", f"{ON_SESSION}/check-ins", "learning.check_in", {"code": "042517", "latitude": 23.1, "longitude": 113.2}, SESSION, 200),
    ("post", f"{ON_SESSION}/attendances", "learning.check_in_by_hand",
     {"application_ids": [APPLICATION_ID], "reason": "没有手机"}, SESSION, 200),
    ("post", "/training-results", "learning.grade_trainings", RESULTS, {}, 200),
]  # fmt: skip


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.mark.parametrize(("verb", "path", "method", "body", "key", "status"), COMMANDS)
def test_each_act_travels_as_it_was_asked(client, bus, tokens, verb, path, method, body, key, status) -> None:
    service, name = method.split(".")
    bus.answer(service, name, {})
    answer = getattr(client, verb)(f"/api/v1{path}", json=body, headers=tokens.headers(None, *GRANTS))
    assert answer.status_code == status, answer.json
    assert bus.sent[0].arguments == {**key, **(body or {})}
    assert bus.sent[0].command_id


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/training-projects?place={CITY}", "catalog.list_training_projects"),
        (f"/kept-training-projects?place={CITY}&state=DRAFT", "catalog.list_kept_training_projects"),
        ("/suitable-training-projects?limit=5", "learning.list_suitable_projects"),
        ("/own-trainings?bucket=ONGOING&search=骨干&held_from=2026-01-01", "learning.list_own_trainings"),
        (f"/training-applications?place={CITY}&state=SCHOOL_REVIEW", "learning.list_training_applications"),
        (f"{ON_PROJECT}/applications?state=ADMITTED", "learning.list_project_applications"),
    ],
)
def test_lists_go_on_with_sealed_cursors(client, bus, tokens, path, method) -> None:
    service, name = method.split(".")
    bus.answer(service, name, {"items": [], "next_cursor": PROJECT_ID, "counts": {"ONGOING": 1}})
    headers = tokens.headers(None, *GRANTS)
    cursor = client.get(f"/api/v1{path}", headers=headers).json["next_cursor"]
    client.get(f"/api/v1{path}{'&' if '?' in path else '?'}cursor={cursor}", headers=headers)
    assert [sent.arguments["cursor"] for sent in bus.sent] == [None, PROJECT_ID]


def test_a_teachers_lists_come_with_their_counts(client, bus, tokens) -> None:
    counts = {"ONGOING": 2, "NOT_BEGUN": 0, "OVER": 0, "UNDER_REVIEW": 0, "REJECTED": 0}
    bus.answer("learning", "list_own_trainings", {"items": [], "next_cursor": None, "counts": counts})
    answer = client.get("/api/v1/own-trainings", headers=tokens.headers(None))
    assert answer.json == {"items": [], "next_cursor": None, "counts": counts}


@pytest.mark.parametrize(
    ("path", "method", "key"),
    [
        (ON_PROJECT, "catalog.get_training_project", ABOUT),
        (f"/kept{ON_PROJECT.replace('/', '-', 1)}", "catalog.get_kept_training_project", ABOUT),
        (ON_APPLICATION, "learning.get_training", APPLICATION),
        (f"{ON_PROJECT}/class", "learning.get_training_class", ABOUT),
        (f"{ON_SESSION}/check-in-code", "learning.get_check_in_code", SESSION),
    ],
)
def test_one_thing_is_asked_for_by_its_id(client, bus, tokens, path, method, key) -> None:
    service, name = method.split(".")
    bus.answer(service, name, {})
    answer = client.get(f"/api/v1{path}", headers=tokens.headers(None, *GRANTS))
    assert answer.status_code == 200, answer.json
    assert bus.sent[0].arguments == key


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/training-projects", {"place": CITY, **PROJECT, "level": "国家级"}, "level"),
        ("/training-projects", {"place": CITY, **PROJECT, "hour_type": "PUBLIC"}, "hour_type"),
        ("/training-projects", {"place": CITY, **PROJECT, "amount": "很多"}, "amount"),
        ("/training-projects", {"place": CITY, **PROJECT, "starts_on": "明天"}, "starts_on"),
        (f"{ON_APPLICATION}/approval", {"stage": "ADMITTED"}, "stage"),
        (f"{ON_APPLICATION}/rejection", {"stage": "SCHOOL_REVIEW", "reason": ""}, "reason"),
        (f"{ON_SESSION}/check-ins", {"code": "12345"}, "code"),
        (f"{ON_SESSION}/check-ins", {"code": "123456", "latitude": 91}, "latitude"),
        (f"{ON_PROJECT}/class/sessions", {"sessions": []}, "sessions"),
        ("/training-results", {"results": [{"application_id": APPLICATION_ID, "passed": "yes"}]}, "results.0.passed"),
    ],
)
def test_bad_bodies_are_refused_before_they_travel(client, bus, tokens, path, body, field) -> None:
    answer = client.post(f"/api/v1{path}", json=body, headers=tokens.headers(None, *GRANTS))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert not bus.sent


def test_a_refusal_is_told_in_the_readers_language(client, bus, tokens) -> None:
    bus.answer("learning", "apply_for_training", Conflict("learning.applications_over"))
    headers = tokens.headers(None) | {"Accept-Language": "en"}
    answer = client.post(f"/api/v1{ON_PROJECT}/applications", json={}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "learning.applications_over")
    assert answer.json["detail"] == "Applications are over."
