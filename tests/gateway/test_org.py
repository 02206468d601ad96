"""Routes of divisions, schools, memberships and grants: what they pass on, what they refuse, what they merge."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import org as org_blueprint
from services.shared.actor import Role
from services.shared.errors import NotFound
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

PLACE = "CN/440000/440100/440104"
API = "/api/v1"


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(org_blueprint).test_client()


def membership(teacher_id: uuid.UUID, **changes: Any) -> dict[str, Any]:
    return {
        "teacher_id": str(teacher_id),
        "school_id": str(new_id()),
        "school_name": "测试小学",
        "place": f"{PLACE}/s{uuid.uuid4().hex}",
        "state": "PENDING",
        "reason": "",
        "version": 1,
        "changed_at": "2023-01-10T02:00:00.000000Z",
        **changes,
    }


def grant(**changes: Any) -> dict[str, Any]:
    return {
        "grant_id": str(new_id()),
        "account_id": str(new_id()),
        "role": "SCHOOL_ADMIN",
        "place": PLACE,
        "state": "ACTIVE",
        "valid_from": "2023-01-10T02:00:00.000000Z",
        "valid_to": None,
        "granted_at": "2023-01-10T02:00:00.000000Z",
        "ended_at": None,
        **changes,
    }


def test_a_visitor_walks_the_divisions_and_may_keep_them(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer(
        "org", "list_divisions", lambda arguments, _actor: {"items": [{"code": "110000", "name": arguments["parent"]}]}
    )
    answer = client.get(f"{API}/divisions")
    assert answer.status_code == 200
    assert answer.json == {"items": [{"code": "110000", "name": "CN"}]}
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get(f"{API}/divisions", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "query", ["parent=44010", "parent=4401044", "parent=CN%0A", "parent=%27--", "top=1", "parent=4401041"]
)
def test_a_division_code_has_six_digits(client: FlaskClient, bus: FakeBus, query: str) -> None:
    answer = client.get(f"{API}/divisions?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "shared.invalid")
    assert bus.sent == []


def test_the_cursor_of_a_list_leaves_sealed_and_comes_back_opened(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("org", "list_schools", {"items": [], "next_cursor": f"{PLACE}/s{'0' * 32}"})
    first = client.get(f"{API}/schools?division=440104&q=实验&limit=2").json
    assert PLACE not in first["next_cursor"]
    client.get(f"{API}/schools", query_string={"division": "440104", "cursor": first["next_cursor"]})
    assert bus.sent[0].arguments == {"division": "440104", "q": "实验", "limit": 2, "cursor": None}
    assert bus.sent[1].arguments["cursor"] == f"{PLACE}/s{'0' * 32}"
    assert client.get(f"{API}/schools?cursor=CN").json["code"] == "shared.bad_cursor"


@pytest.mark.parametrize("limit", ["0", "201", "x", "1e3"])
def test_a_page_has_1_to_200_items(client: FlaskClient, limit: str) -> None:
    assert client.get(f"{API}/schools?limit={limit}").status_code == 400


def new_school(**changes: Any) -> dict[str, Any]:
    return {
        "division_code": "440104",
        "name": "测试小学",
        "school_type": "PRIMARY",
        "seal_name": "测试小学",
        "town": "测试街道",
        "nature": "PUBLIC",
        "head_name": "测试",
        "head_mobile": "13800000000",
        **changes,
    }


def test_creating_a_school_travels_as_a_command_under_the_clients_key(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    bus.answer("org", "create_school", {"school_id": str(new_id()), "name": "测试小学"})
    headers = tokens.headers(None, (Role.COUNTY_ADMIN, PLACE)) | {"Idempotency-Key": "create-0001"}
    answer = client.post(f"{API}/schools", json=new_school(), headers=headers)
    assert answer.status_code == 201
    assert bus.sent[0].command_id == "create-0001"
    assert bus.sent[0].arguments == {**new_school(), "kind": "BASIC_EDUCATION", "code": None}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "21440000"}, "code"),
        ({"code": "214400000١"}, "code"),
        ({"head_mobile": "1380000000"}, "head_mobile"),
        ({"nature": "FREE"}, "nature"),
        ({"name": " "}, "name"),
        ({"name": "校" * 101}, "name"),
        ({"name": 5}, "name"),
        ({"division_code": "44"}, "division_code"),
        ({"state": "CLOSED"}, "state"),
        ({"place": "CN"}, "place"),
    ],
)
def test_a_school_with_a_fault_never_reaches_the_service(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, changes: dict[str, Any], field: str
) -> None:
    answer = client.post(
        f"{API}/schools", json=new_school(**changes), headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE))
    )
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/schools"),
        ("post", "/memberships"),
        ("get", "/memberships/me"),
        ("get", f"/memberships?school_id={uuid.uuid4()}"),
        ("post", f"/memberships/{uuid.uuid4()}/verification"),
        ("post", f"/memberships/{uuid.uuid4()}/rejection"),
        ("post", f"/memberships/{uuid.uuid4()}/release"),
        ("post", "/grants"),
        ("delete", f"/grants/{uuid.uuid4()}"),
        ("get", f"/grants?place={PLACE}"),
    ],
)
def test_a_visitor_must_sign_in(client: FlaskClient, bus: FakeBus, method: str, path: str) -> None:
    bodies = {
        "/schools": new_school(),
        "/memberships": {"other_of": "440104"},
        "/grants": {"account_id": str(new_id()), "role": "PRINCIPAL", "place": PLACE},
    }
    body = bodies.get(path) or ({"reason": "误"} if path.endswith(("rejection", "release")) else None)
    answer = getattr(client, method)(API + path, json=body) if body else getattr(client, method)(API + path)
    assert (answer.status_code, answer.json["code"]) == (401, "shared.sign_in_first")


@pytest.mark.parametrize(
    "body", [{}, {"school_id": str(uuid.uuid4()), "other_of": "440104"}, {"school_id": "x"}, {"other_of": 1}]
)
def test_a_choice_names_exactly_one_school(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, body: dict[str, Any]
) -> None:
    answer = client.post(f"{API}/memberships", json=body, headers=tokens.headers())
    assert answer.status_code == 400
    assert bus.sent == []


def test_members_are_listed_with_the_masked_names_that_identity_gives(
    client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    seen, hidden = new_id(), new_id()
    bus.answer("org", "list_memberships", {"items": [membership(seen), membership(hidden)], "next_cursor": None})
    bus.answer(
        "identity", "list_people", {"people": [{"account_id": str(seen), "name": "张*", "phone": "138****0000"}]}
    )
    answer = client.get(
        f"{API}/memberships?school_id={new_id()}&state=PENDING",
        headers=tokens.headers(None, (Role.SCHOOL_ADMIN, PLACE)),
    )
    people = {item["teacher_id"]: item["person"] for item in answer.json["items"]}
    assert people == {str(seen): {"name": "张*", "phone": "138****0000"}, str(hidden): None}
    # One question for the whole page.
    assert [sent.method for sent in bus.sent] == ["list_memberships", "list_people"]


def test_an_empty_list_asks_nobody_for_names(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org", "list_memberships", {"items": [], "next_cursor": None})
    client.get(f"{API}/memberships?school_id={new_id()}", headers=tokens.headers(None, (Role.SCHOOL_ADMIN, PLACE)))
    assert [sent.method for sent in bus.sent] == ["list_memberships"]


@pytest.mark.parametrize(
    ("verb", "method", "body"),
    [
        ("verification", "verify_membership", None),
        ("rejection", "reject_membership", {"reason": "不是本校教师"}),
        ("release", "release_membership", {"reason": "调离"}),
    ],
)
def test_a_decision_is_passed_on_for_its_teacher(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, verb: str, method: str, body: dict[str, str] | None
) -> None:
    teacher = new_id()
    bus.answer("org", method, membership(teacher, state="VERIFIED"))
    headers = tokens.headers(None, (Role.SCHOOL_ADMIN, PLACE))
    answer = (
        client.post(f"{API}/memberships/{teacher}/{verb}", json=body, headers=headers)
        if body
        else client.post(f"{API}/memberships/{teacher}/{verb}", headers=headers)
    )
    assert answer.status_code == 200
    assert bus.sent[0].arguments == {"teacher_id": str(teacher), **(body or {})}


def test_unknown_and_forbidden_read_alike(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org", "verify_membership", NotFound("org.membership_unknown"))
    answer = client.post(
        f"{API}/memberships/{new_id()}/verification", headers=tokens.headers(None, (Role.SCHOOL_ADMIN, PLACE))
    )
    assert (answer.status_code, answer.json["code"]) == (404, "org.membership_unknown")


def test_a_grant_is_passed_on_with_its_times(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    account = new_id()
    bus.answer("org", "grant_role", grant())
    body = {
        "account_id": str(account),
        "role": "SCHOOL_ADMIN",
        "place": PLACE,
        "valid_to": "2023-06-30T00:00:00+08:00",
    }
    answer = client.post(f"{API}/grants", json=body, headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE)))
    assert answer.status_code == 201
    assert bus.sent[0].arguments == {**body, "replace": False}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "ADMIN"}, "role"),
        ({"place": "CN/44"}, "place"),
        ({"place": "440104"}, "place"),
        ({"valid_to": "2023-06-30T00:00:00"}, "valid_to"),
        ({"replace": "yes"}, "replace"),
        ({"granted_by": "me"}, "granted_by"),
    ],
)
def test_a_grant_with_a_fault_is_refused_by_field(
    client: FlaskClient, tokens: Tokens, changes: dict[str, Any], field: str
) -> None:
    body = {"account_id": str(new_id()), "role": "SCHOOL_ADMIN", "place": PLACE, **changes}
    answer = client.post(f"{API}/grants", json=body, headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE)))
    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_revoking_names_the_grant(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    given = grant(state="REVOKED")
    bus.answer("org", "revoke_grant", given)
    answer = client.delete(
        f"{API}/grants/{given['grant_id']}", headers=tokens.headers(None, (Role.COUNTY_ADMIN, PLACE))
    )
    assert answer.json["state"] == "REVOKED"
    assert bus.sent[0].arguments == {"grant_id": given["grant_id"]}
