"""Routes of a school's teachers: what they pass on, what they refuse, what they merge."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import staffing as staffing_blueprint
from services.shared.actor import Role
from services.shared.errors import NotAllowed
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

PLACE = "CN/440000/440100/440104"
API = "/api/v1"
ADMIN = (Role.SCHOOL_ADMIN, PLACE)
MOMENT = "2023-01-10T02:00:00.000000Z"


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(staffing_blueprint).test_client()


def staff(teacher_id: uuid.UUID, **changes: Any) -> dict[str, Any]:
    return {
        "teacher_id": str(teacher_id),
        "school_id": str(new_id()),
        "school_name": "测试小学",
        "place": f"{PLACE}/s{uuid.uuid4().hex}",
        "state": "VERIFIED",
        "employment": "ON_DUTY",
        "employment_at": MOMENT,
        "version": 2,
        "changed_at": MOMENT,
        **changes,
    }


def known(bus: FakeBus, *teachers: uuid.UUID) -> None:
    bus.answer("identity", "list_people", {"people": [{"account_id": str(each), "name": "张*"} for each in teachers]})


def test_the_list_of_a_territory_comes_with_masked_names_and_a_sealed_cursor(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    seen, hidden = new_id(), new_id()
    cursor = f"{PLACE}/s1 {hidden}"
    bus.answer("org", "list_teachers", {"items": [staff(seen), staff(hidden)], "next_cursor": cursor})
    known(bus, seen)
    headers = tokens.headers(None, (Role.COUNTY_ADMIN, PLACE))
    answer = client.get(f"{API}/teachers?place={PLACE}&employment=RETIRED&with_archived=true&limit=2", headers=headers)
    assert [item["person"] for item in answer.json["items"]] == [{"name": "张*"}, None]
    assert PLACE not in answer.json["next_cursor"]
    assert bus.sent[0].arguments == {
        "place": PLACE, "employment": "RETIRED", "with_archived": True, "limit": 2, "cursor": None,
    }  # fmt: skip
    client.get(f"{API}/teachers", query_string={"place": PLACE, "cursor": answer.json["next_cursor"]}, headers=headers)
    assert bus.sent[2].arguments["cursor"] == cursor


def test_whoever_may_not_see_names_gets_the_list_without_them(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    bus.answer("org", "list_teachers", {"items": [staff(new_id())], "next_cursor": None})
    bus.answer("identity", "list_people", NotAllowed("shared.not_allowed"))
    answer = client.get(f"{API}/teachers?place={PLACE}", headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE)))
    assert (answer.status_code, answer.json["items"][0]["person"]) == (200, None)


@pytest.mark.parametrize(
    "query",
    ["", "place=44", f"place={PLACE}&state=GONE", f"place={PLACE}&employment=x", f"place={PLACE}&with_archived=1"],
)
def test_a_list_with_a_fault_never_reaches_the_service(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, query: str
) -> None:
    answer = client.get(f"{API}/teachers?{query}", headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE)))
    assert (answer.status_code, answer.json["code"]) == (400, "shared.invalid")
    assert bus.sent == []


def test_the_queue_tells_the_days(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    teacher, school = new_id(), new_id()
    item = {**staff(teacher, state="PENDING"), "days_waiting": 5}
    bus.answer("org", "list_reviews", {"items": [item], "next_cursor": None})
    known(bus, teacher)
    answer = client.get(f"{API}/reviews?school_id={school}", headers=tokens.headers(None, ADMIN))
    assert [(each["days_waiting"], each["person"]["name"]) for each in answer.json["items"]] == [(5, "张*")]
    assert bus.sent[0].arguments["school_id"] == str(school)


BULK = [
    ("/reviews/verification", "verify_memberships", {}),
    ("/reviews/rejection", "reject_memberships", {"reason": "不是本校教师"}),
    ("/archivals", "archive_teachers", {"status": "RETIRED", "reason": "已退休"}),
    ("/restorations", "restore_teachers", {}),
]


@pytest.mark.parametrize(("path", "method", "more"), BULK)
def test_a_bulk_decision_tells_each_outcome_in_the_readers_language(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, method: str, more: dict[str, str]
) -> None:
    done, refused = new_id(), new_id()
    rows = [
        {"teacher_id": str(done), "outcome": "DONE", "code": ""},
        {"teacher_id": str(refused), "outcome": "REFUSED", "code": "org.not_pending"},
    ]
    bus.answer("org", method, {"rows": rows})
    body = {"teacher_ids": [str(done), str(refused)], **more}
    headers = tokens.headers(None, ADMIN) | {"Idempotency-Key": "bulk-0001", "Accept-Language": "en"}
    answer = client.post(API + path, json=body, headers=headers)
    assert answer.status_code == 200
    assert [row["message"] for row in answer.json["rows"]] == ["", "This teacher is not waiting for verification."]
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == (body, "bulk-0001")


@pytest.mark.parametrize(("path", "method", "more"), BULK)
@pytest.mark.parametrize("ids", [[], ["x"], [str(uuid.uuid4())] * 101, "x", None])
def test_a_bulk_decision_takes_one_to_a_hundred_ids(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, method: str, more: dict[str, str], ids: Any
) -> None:
    answer = client.post(API + path, json={"teacher_ids": ids, **more}, headers=tokens.headers(None, ADMIN))
    assert answer.status_code == 400
    assert answer.json["field"].startswith("teacher_ids")
    assert bus.sent == []


@pytest.mark.parametrize(
    ("verb", "method", "body"),
    [
        ("archival", "archive_teacher", {"status": "SECONDED", "reason": "支教一年"}),
        ("restoration", "restore_teacher", {}),
    ],
)
def test_one_teacher_is_archived_and_restored(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, verb: str, method: str, body: dict[str, str]
) -> None:
    teacher = new_id()
    bus.answer("org", method, staff(teacher))
    answer = client.post(f"{API}/teachers/{teacher}/{verb}", json=body, headers=tokens.headers(None, ADMIN))
    assert answer.status_code == 200
    assert bus.sent[0].arguments == {"teacher_id": str(teacher), **body}


@pytest.mark.parametrize("status", ["ON_DUTY", "GONE", "", None, 5])
def test_being_on_duty_is_no_type_of_archive(client: FlaskClient, bus: FakeBus, tokens: Tokens, status: Any) -> None:
    answer = client.post(
        f"{API}/teachers/{new_id()}/archival", json={"status": status}, headers=tokens.headers(None, ADMIN)
    )
    assert (answer.status_code, answer.json["field"]) == (400, "status")
    assert bus.sent == []


def test_the_desk_names_its_arrivals(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    school, teacher = new_id(), new_id()
    desk = {
        "school_id": str(school),
        "place": ADMIN[1],
        "reviews_waiting": 2,
        "archived_arrivals": [staff(teacher, employment="LEFT")],
    }
    bus.answer("org", "get_school_desk", desk)
    bus.answer("billing", "count_special_users", {"special_users": 3})
    known(bus, teacher)
    answer = client.get(f"{API}/schools/{school}/desk", headers=tokens.headers(None, ADMIN))
    assert answer.json["reviews_waiting"] == 2
    assert [(each["employment"], each["person"]["name"]) for each in answer.json["archived_arrivals"]] == [
        ("LEFT", "张*")
    ]


def test_counts_and_stays_are_passed_on(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    headers = tokens.headers(None, (Role.COUNTY_ADMIN, PLACE))
    counted = {"place": PLACE, "name": "越秀区", "teachers": 3, "by": [], "as_of": MOMENT}
    bus.answer("org", "get_staff_counts", counted)
    bus.answer("org", "list_staff_counts", {"items": [counted], "next_cursor": PLACE})
    bus.answer("org", "list_own_periods", {"items": []})
    bus.answer("org", "list_periods", {"items": []})
    assert client.get(f"{API}/staff-counts?place={PLACE}", headers=headers).json == counted
    below = client.get(f"{API}/staff-counts/below?place={PLACE}", headers=headers).json
    assert below["items"] == [counted]
    assert below["next_cursor"] != PLACE
    teacher = new_id()
    assert client.get(f"{API}/memberships/me/periods", headers=headers).json == {"items": []}
    assert client.get(f"{API}/memberships/{teacher}/periods", headers=headers).json == {"items": []}
    assert bus.sent[-1].arguments == {"teacher_id": str(teacher)}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", f"/teachers?place={PLACE}", None),
        ("get", f"/reviews?school_id={uuid.uuid4()}", None),
        ("post", "/reviews/verification", {"teacher_ids": [str(uuid.uuid4())]}),
        ("post", "/archivals", {"teacher_ids": [str(uuid.uuid4())], "status": "LEFT"}),
        ("post", f"/teachers/{uuid.uuid4()}/archival", {"status": "LEFT"}),
        ("get", f"/schools/{uuid.uuid4()}/desk", None),
        ("get", f"/staff-counts?place={PLACE}", None),
        ("get", "/memberships/me/periods", None),
    ],
)
def test_a_visitor_must_sign_in(client: FlaskClient, method: str, path: str, body: Any) -> None:
    answer = getattr(client, method)(API + path, json=body) if body else getattr(client, method)(API + path)
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")
