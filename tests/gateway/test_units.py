"""Routes of schools' lives, moves, missing schools and tenant policies: what they pass on, what they refuse."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import units as units_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens
from tests.gateway.test_org import new_school

PLACE = "CN/440000/440100/440104"
API = "/api/v1"
COUNTY = (Role.COUNTY_ADMIN, PLACE)
ID = str(uuid.uuid4())
SCHOOL, MOVE, REQUEST = f"/schools/{ID}", f"/school-moves/{ID}", f"/school-requests/{ID}"
ACT = {"version": 3, "reason": "区教育局文件"}
DECISION = {"reason": "同意"}
ASKED = {"name": "新河浦小学", "school_type": "PRIMARY", "town": "东山街道"}
POLICY = {"place": PLACE, "mode": "GATED", "max_school_admins": 3, "profile_review": "NONE", "reason": "省厅通知"}
OF_SCHOOL, OF_MOVE, OF_REQUEST = {"school_id": ID}, {"move_id": ID}, {"request_id": ID}

# verb, path, body, the service's method, its arguments, status
COMMANDS: list[tuple[str, str, dict[str, Any] | None, str, dict[str, Any], int]] = [
    ("patch", SCHOOL, {"version": 3, "town": "新街"}, "edit_school", {**OF_SCHOOL, "version": 3, "town": "新街"}, 200),
    ("patch", SCHOOL, {"version": 3, "code": None}, "edit_school", {**OF_SCHOOL, "version": 3, "code": None}, 200),
    ("post", f"{SCHOOL}/suspension", ACT, "suspend_school", {**OF_SCHOOL, **ACT}, 200),
    ("post", f"{SCHOOL}/resumption", ACT, "resume_school", {**OF_SCHOOL, **ACT}, 200),
    ("post", f"{SCHOOL}/closure", ACT, "close_school", {**OF_SCHOOL, **ACT}, 200),
    ("post", f"{SCHOOL}/reopening", ACT, "reopen_school", {**OF_SCHOOL, **ACT}, 200),
    (
        "post",
        f"{SCHOOL}/merger",
        {**ACT, "into": ID},
        "merge_school",
        {**OF_SCHOOL, **ACT, "into": ID, "keep_code_of": "SURVIVING"},
        200,
    ),
    (
        "post",
        f"{SCHOOL}/code-correction",
        {**ACT, "code": "2144000001"},
        "correct_school_code",
        {**OF_SCHOOL, **ACT, "code": "2144000001"},
        200,
    ),
    ("post", f"{SCHOOL}/contact-disclosure", DECISION, "reveal_school_contact", {**OF_SCHOOL, **DECISION}, 200),
    (
        "post",
        "/school-moves",
        {"school_id": ID, "division_code": "440105", "reason": "调整"},
        "request_school_move",
        {"school_id": ID, "division_code": "440105", "reason": "调整"},
        201,
    ),
    ("post", f"{MOVE}/execution", DECISION, "execute_school_move", {**OF_MOVE, **DECISION}, 200),
    ("post", f"{MOVE}/rejection", DECISION, "reject_school_move", {**OF_MOVE, **DECISION}, 200),
    ("post", f"{MOVE}/withdrawal", DECISION, "withdraw_school_move", {**OF_MOVE, **DECISION}, 200),
    ("post", "/school-requests", ASKED, "request_school", ASKED, 201),
    (
        "post",
        f"{REQUEST}/school",
        new_school(),
        "create_requested_school",
        {**OF_REQUEST, "school": {**new_school(), "kind": "BASIC_EDUCATION", "code": None}},
        201,
    ),
    ("post", f"{REQUEST}/answer", OF_SCHOOL, "answer_school_request", {**OF_REQUEST, **OF_SCHOOL}, 200),
    ("post", f"{REQUEST}/rejection", DECISION, "reject_school_request", {**OF_REQUEST, **DECISION}, 200),
    ("post", f"{REQUEST}/withdrawal", None, "withdraw_school_request", OF_REQUEST, 200),
    ("put", "/tenant-policy", POLICY, "set_tenant_policy", POLICY, 200),
    (
        "post",
        "/tenant-policy/withdrawal",
        {"place": PLACE, "reason": "随省"},
        "withdraw_tenant_policy",
        {"place": PLACE, "reason": "随省"},
        200,
    ),
]
LISTS = [
    ("/units?division=440104&state=CLOSED", "list_units", {"division": "440104", "state": "CLOSED"}),
    ("/school-moves?state=REQUESTED", "list_school_moves", {"division": "CN", "state": "REQUESTED"}),
    ("/school-requests?division=440104", "list_school_requests", {"division": "440104"}),
    ("/school-requests/me", "list_own_school_requests", {}),
    (f"/tenant-policies?place={PLACE}", "list_tenant_policies", {"place": PLACE}),
]
QUERIES = [
    (f"{SCHOOL}/history", "get_school_history", OF_SCHOOL),
    (MOVE, "get_school_move", OF_MOVE),
    ("/units/counts?division=440104", "count_units", {"division": "440104"}),
    (f"/tenant-policy?place={PLACE}", "get_tenant_policy", {"place": PLACE}),
]


@pytest.fixture
def headers(tokens: Tokens, now: dt.datetime) -> dict[str, str]:
    """Of somebody who may ask for anything here, and has just typed a fresh code."""
    until = (now + dt.timedelta(minutes=30)).timestamp()
    return tokens.headers(uuid.UUID(ID), COUNTY, (Role.SUPER_ADMIN, PLACE), elv=until)


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(units_blueprint).test_client()


@pytest.mark.parametrize(
    ("verb", "path", "body", "method", "arguments", "status"), COMMANDS, ids=[row[3] for row in COMMANDS]
)
def test_a_command_is_passed_on_whole_under_the_clients_key(
    client: FlaskClient,
    bus: FakeBus,
    headers: dict[str, str],
    verb: str,
    path: str,
    body: dict[str, Any] | None,
    method: str,
    arguments: dict[str, Any],
    status: int,
) -> None:
    bus.answer("org", method, {"version": 4})
    headers = headers | {"Idempotency-Key": "units-0001"}
    answer = client.open(API + path, method=verb.upper(), headers=headers, **({"json": body} if body else {}))
    assert (answer.status_code, answer.json.get("version", 4)) == (status, 4)
    assert [(sent.method, sent.arguments, sent.command_id) for sent in bus.sent] == [(method, arguments, "units-0001")]


@pytest.mark.parametrize(("path", "method", "arguments"), LISTS, ids=[row[1] for row in LISTS])
def test_a_list_is_paged_with_sealed_cursors(
    client: FlaskClient, bus: FakeBus, headers: dict[str, str], path: str, method: str, arguments: dict[str, Any]
) -> None:
    bus.answer("org", method, {"items": [], "next_cursor": ID})
    first = client.get(API + path, headers=headers)
    assert first.status_code == 200
    assert ID not in first.json["next_cursor"]
    sent = dict(bus.sent[0].arguments)
    assert (sent.pop("limit"), sent.pop("cursor")) == (50, None)
    assert sent == arguments
    again = f"{path}{'&' if '?' in path else '?'}cursor={first.json['next_cursor']}"
    assert client.get(API + again, headers=headers).status_code == 200
    assert bus.sent[1].arguments["cursor"] == ID


@pytest.mark.parametrize(("path", "method", "arguments"), QUERIES, ids=[row[1] for row in QUERIES])
def test_a_question_is_passed_on(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, method: str, arguments: dict[str, Any]
) -> None:
    bus.answer("org", method, {})
    assert client.get(API + path, headers=tokens.headers(None, COUNTY)).status_code == 200
    assert [(sent.method, sent.arguments) for sent in bus.sent] == [(method, arguments)]


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [row[:3] for row in COMMANDS] + [("get", row[0], None) for row in (*LISTS, *QUERIES)],
    ids=[row[3] for row in COMMANDS] + [row[1] for row in (*LISTS, *QUERIES)],
)
def test_a_visitor_must_sign_in(
    client: FlaskClient, bus: FakeBus, verb: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = client.open(API + path, method=verb.upper(), **({"json": body} if body else {}))
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")


@pytest.mark.parametrize(
    ("verb", "path", "body", "field"),
    [
        ("patch", SCHOOL, {"town": "新街"}, "version"),
        ("patch", SCHOOL, {"version": "3", "town": "新街"}, "version"),
        ("patch", SCHOOL, {"version": 3, "state": "CLOSED"}, "state"),
        ("patch", SCHOOL, {"version": 3, "place": PLACE}, "place"),
        ("patch", SCHOOL, {"version": 3, "attachment": "COUNTY"}, "attachment"),
        ("patch", SCHOOL, {"version": 3, "name": " "}, "name"),
        ("patch", SCHOOL, {"version": 3, "name": None}, "name"),
        ("patch", SCHOOL, {"version": 3, "code": "214400000"}, "code"),
        ("patch", SCHOOL, {"version": 3, "head_mobile": "12800000000"}, "head_mobile"),
        ("post", f"{SCHOOL}/closure", {"version": 3}, "reason"),
        ("post", f"{SCHOOL}/merger", {**ACT, "into": "x"}, "into"),
        ("post", f"{SCHOOL}/merger", {**ACT, "into": ID, "keep_code_of": "BOTH"}, "keep_code_of"),
        ("post", f"{SCHOOL}/code-correction", ACT, "code"),
        ("post", f"{SCHOOL}/contact-disclosure", {}, "reason"),
        ("post", "/school-moves", {"school_id": ID, "division_code": "44", "reason": "调"}, "division_code"),
        ("post", f"{MOVE}/execution", {}, "reason"),
        ("post", "/school-requests", {**ASKED, "school_type": "COLLEGE"}, "school_type"),
        ("post", f"{REQUEST}/school", {**new_school(), "head_mobile": "1"}, "head_mobile"),
        ("put", "/tenant-policy", {**POLICY, "max_school_admins": 0}, "max_school_admins"),
        ("put", "/tenant-policy", {**POLICY, "mode": "CLOSED"}, "mode"),
        ("put", "/tenant-policy", {**POLICY, "place": "440104"}, "place"),
    ],
)
def test_a_bad_body_never_reaches_the_service(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, verb: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = client.open(API + path, method=verb.upper(), json=body, headers=tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Conflict("org.school_has_teachers"), 409),
        (NotFound("org.school_unknown"), 404),
        (NotAllowed("org.not_directly_attached"), 403),
    ],
)
def test_a_refusal_is_told_in_words(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, refusal: Exception, status: int
) -> None:
    bus.answer("org", "close_school", refusal)
    answer = client.post(f"{API}{SCHOOL}/closure", json=ACT, headers=tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["code"]) == (status, refusal.args[0])
    assert answer.json["detail"] or answer.json["title"]


def test_what_is_shown_in_clear_is_kept_by_nobody(
    client: FlaskClient, bus: FakeBus, headers: dict[str, str], tokens: Tokens
) -> None:
    bus.answer(
        "org", "reveal_school_contact", {"head_name": "赵玉兰", "head_mobile": "13812345678", "notice_name": None}
    )
    path = f"{API}{SCHOOL}/contact-disclosure"
    without = client.post(path, json=DECISION, headers=tokens.headers(None, COUNTY))
    assert (without.status_code, without.json["code"]) == (403, "shared.step_up_needed")
    answer = client.post(path, json=DECISION, headers=headers)
    assert (answer.json["head_mobile"], answer.headers["Cache-Control"]) == ("13812345678", "private, no-store")


def test_an_unknown_id_is_no_id(client: FlaskClient, tokens: Tokens) -> None:
    answer = client.post(f"{API}/schools/{new_id()}x/closure", json=ACT, headers=tokens.headers(None, COUNTY))
    assert answer.status_code == 404
