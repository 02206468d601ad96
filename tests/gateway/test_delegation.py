"""Routes of authority codes, activation and unit administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import delegation as delegation_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

API = "/api/v1"
PLACE = "CN/440000/440100/440104"
SCHOOL = f"{PLACE}/s{'a' * 32}"
TEXT = "7KQ2MX-9RTWD4-HVB3YP"


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(delegation_blueprint).test_client()


@pytest.fixture
def county(tokens: Tokens) -> dict[str, str]:
    return tokens.headers(None, (Role.COUNTY_ADMIN, PLACE))


def code(**changes: Any) -> dict[str, Any]:
    return {
        "code_id": str(new_id()),
        "role": "SCHOOL_ADMIN",
        "place": SCHOOL,
        "state": "ISSUED",
        "issued_by": str(new_id()),
        "issued_at": "2023-01-10T02:00:00.000000Z",
        "expires_at": "2023-02-09T02:00:00.000000Z",
        "channel": "",
        "delivered_at": None,
        "activated_by": None,
        "activated_at": None,
        "grant_id": None,
        "ended_at": None,
        "end_reason": "",
        **changes,
    }


def grant(**changes: Any) -> dict[str, Any]:
    return {
        "grant_id": str(new_id()),
        "account_id": str(new_id()),
        "role": "SCHOOL_ADMIN",
        "place": SCHOOL,
        "state": "ACTIVE",
        "valid_from": "2023-01-10T02:00:00.000000Z",
        "valid_to": None,
        "granted_at": "2023-01-10T02:00:00.000000Z",
        "ended_at": None,
        **changes,
    }


def test_the_text_of_a_code_is_told_once_and_nobody_may_keep_the_answer(
    client: FlaskClient, bus: FakeBus, county: dict[str, str]
) -> None:
    bus.answer("org", "generate_authority_code", {**code(), "code": TEXT})
    body = {"place": SCHOOL, "role": "SCHOOL_ADMIN"}
    answer = client.post(f"{API}/authority-codes", json=body, headers=county | {"Idempotency-Key": "code-0001"})
    assert (answer.status_code, answer.json["code"]) == (201, TEXT)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert bus.sent[0].arguments == {**body, "regenerate": False}
    assert bus.sent[0].command_id == "code-0001"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "PRINCIPAL"}, "role"),
        ({"role": "AUDITOR"}, "role"),
        ({"place": "CN/44"}, "place"),
        ({"place": None}, "place"),
        ({"regenerate": "yes"}, "regenerate"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_code_with_a_fault_is_refused_by_field(
    client: FlaskClient, bus: FakeBus, county: dict[str, str], changes: dict[str, Any], field: str
) -> None:
    body = {"place": SCHOOL, "role": "SCHOOL_ADMIN", **changes}
    answer = client.post(f"{API}/authority-codes", json=body, headers=county)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_a_list_of_codes_holds_no_text(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    bus.answer("org", "list_authority_codes", {"items": [{**code(), "code": TEXT}], "next_cursor": str(new_id())})
    answer = client.get(f"{API}/authority-codes", query_string={"place": PLACE, "state": "ISSUED"}, headers=county)
    assert answer.status_code == 200
    assert TEXT not in answer.text
    assert bus.sent[0].arguments == {"place": PLACE, "state": "ISSUED", "limit": 50, "cursor": None}


def test_what_becomes_of_a_code(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    one = code()
    path = f"{API}/authority-codes/{one['code_id']}"
    bus.answer("org", "record_code_delivery", {**one, "channel": "LETTER"})
    bus.answer("org", "revoke_authority_code", {**one, "state": "VOID"})
    delivered = client.post(f"{path}/delivery", json={"channel": "LETTER"}, headers=county)
    revoked = client.post(f"{path}/revocation", json={}, headers=county)
    assert (delivered.json["channel"], revoked.json["state"]) == ("LETTER", "VOID")
    assert [sent.arguments for sent in bus.sent] == [
        {"code_id": one["code_id"], "channel": "LETTER"},
        {"code_id": one["code_id"], "reason": ""},
    ]
    assert client.post(f"{path}/delivery", json={"channel": "PIGEON"}, headers=county).status_code == 400


def test_an_ordinary_account_activates_a_code(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org", "activate_authority_code", grant())
    answer = client.post(f"{API}/authority-code-activations", json={"code": TEXT}, headers=tokens.headers(None))
    assert (answer.status_code, answer.json["role"]) == (201, "SCHOOL_ADMIN")
    assert bus.sent[0].arguments == {"code": TEXT, "replace": False}


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (InvalidInput("org.code_refused", "code"), 400),
        (InvalidInput("org.code_mistyped", "code"), 400),
        (Conflict("org.code_seat_taken"), 409),
        (LimitReached("org.code_guesses", "", "retry_after_seconds=60"), 429),
    ],
)
def test_refusals_speak_both_languages(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, refusal: Any, status: int
) -> None:
    bus.answer("org", "activate_authority_code", refusal)
    for language in ("zh-CN", "en"):
        headers = tokens.headers(None) | {"Accept-Language": language}
        answer = client.post(f"{API}/authority-code-activations", json={"code": TEXT}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (status, refusal.code)
        assert answer.json["detail"].isascii() == (language == "en")
    if status == 429:
        assert answer.headers["Retry-After"] == "60"


def test_a_visitor_activates_nothing(client: FlaskClient, bus: FakeBus) -> None:
    assert client.post(f"{API}/authority-code-activations", json={"code": TEXT}).status_code == 401
    assert client.get(f"{API}/activation-progress?place=CN").status_code == 401


def test_guessing_is_slowed_at_the_edge_and_good_codes_are_not(
    make_app: Callable[..., Flask], bus: FakeBus, tokens: Tokens
) -> None:
    client = make_app(delegation_blueprint, limit_scale=1).test_client()
    guesser, honest = tokens.headers(new_id()), tokens.headers(new_id())
    bus.answer("org", "activate_authority_code", InvalidInput("org.code_refused", "code"))
    answers = [
        client.post(f"{API}/authority-code-activations", json={"code": TEXT}, headers=guesser).status_code
        for _ in range(12)
    ]
    assert answers == [400] * 10 + [429] * 2
    bus.answer("org", "activate_authority_code", grant())
    for _ in range(12):
        assert client.post(f"{API}/authority-code-activations", json={"code": TEXT}, headers=honest).status_code == 201


TALLY = {
    "level": "SCHOOL",
    "role": "SCHOOL_ADMIN",
    "expected": 10,
    "not_generated": 1,
    "generated": 2,
    "activated": 6,
    "disabled": 1,
}


def test_progress_says_as_of_when_it_is_true(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    told = {"place": PLACE, "as_of": "2023-01-10T02:00:00.000000Z", "tallies": [TALLY]}
    bus.answer("org", "get_activation_progress", told)
    assert client.get(f"{API}/activation-progress?place={PLACE}", headers=county).json == told


def test_the_way_down_is_a_list_by_the_page(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    seat = {
        "role": "SCHOOL_ADMIN",
        "state": "GENERATED",
        "changed_at": "2023-01-10T02:00:00.000000Z",
        "code_expires_at": "2023-02-09T02:00:00.000000Z",
    }
    unit = {
        "place": SCHOOL,
        "level": "SCHOOL",
        "name": "测试小学",
        "school_id": str(new_id()),
        "seats": [seat],
        "tallies": [],
    }
    told = {"items": [unit], "next_cursor": SCHOOL, "as_of": "2023-01-10T02:00:00.000000Z"}
    bus.answer("org", "list_activation_progress", told)
    first = client.get(f"{API}/activation-progress/units?place={PLACE}&limit=1", headers=county)
    assert (first.status_code, first.json["items"], first.json["as_of"]) == (200, [unit], told["as_of"])
    assert SCHOOL not in first.json["next_cursor"]
    again = {"place": PLACE, "cursor": first.json["next_cursor"]}
    # The cursor belongs to its reader, and the header names the same one.
    assert client.get(f"{API}/activation-progress/units", query_string=again, headers=county).status_code == 200
    assert bus.sent[1].arguments == {"place": PLACE, "cursor": SCHOOL, "limit": 50}


def test_whom_to_remind(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    bus.answer("org", "list_admin_seats", {"items": [], "next_cursor": None})
    path = f"{API}/activation-progress/seats?place={PLACE}"
    assert client.get(f"{path}&role=SCHOOL_ADMIN&state=GENERATED", headers=county).status_code == 200
    for missing in ("&role=SCHOOL_ADMIN", "&state=GENERATED", "&role=PRINCIPAL&state=GENERATED"):
        assert client.get(path + missing, headers=county).status_code == 400


def test_the_administrators_of_a_unit_come_with_their_masked_names(
    client: FlaskClient, bus: FakeBus, county: dict[str, str]
) -> None:
    seen, hidden = grant(), grant(state="REVOKED")
    bus.answer("org", "list_unit_administrators", {"items": [seen, hidden], "next_cursor": None})
    bus.answer("identity", "list_people", {"people": [{"account_id": seen["account_id"], "name": "张*"}]})
    items = client.get(f"{API}/unit-administrators?place={SCHOOL}", headers=county).json["items"]
    assert [(item["state"], item["person"] and item["person"]["name"]) for item in items] == [
        ("ACTIVE", "张*"),
        ("REVOKED", None),
    ]
    bus.answer("org", "list_unit_administrators", {"items": [], "next_cursor": None})
    assert client.get(f"{API}/unit-administrators?place={SCHOOL}", headers=county).json["items"] == []


# --- what takes two persons -----------------------------------------------------------------------------------------


def proposal(**changes: Any) -> dict[str, Any]:
    return {
        "proposal_id": str(new_id()),
        "account_id": str(new_id()),
        "role": "PROVINCE_ADMIN",
        "place": "CN/440000",
        "valid_from": None,
        "valid_to": None,
        "replace": False,
        "state": "OPEN",
        "reason": "换届",
        "proposed_by": str(new_id()),
        "proposed_at": "2023-01-10T02:00:00.000000Z",
        "expires_at": "2023-01-17T02:00:00.000000Z",
        "decided_by": None,
        "decided_at": None,
        "decision_reason": "",
        "grant_id": None,
        **changes,
    }


def test_a_proposal_and_what_becomes_of_it(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    one = proposal()
    wanted = {"account_id": one["account_id"], "role": one["role"], "place": one["place"]}
    path = f"{API}/grant-proposals/{one['proposal_id']}"
    bus.answer("org", "propose_grant", one)
    asked = client.post(f"{API}/grant-proposals", json=wanted, headers=county)
    assert (asked.status_code, asked.json) == (201, one)
    assert bus.sent[0].arguments == {**wanted, "replace": False, "reason": ""}
    for verb, method, body, arguments in (
        ("approval", "approve_grant", None, {}),
        ("rejection", "reject_proposal", {"reason": "不妥"}, {"reason": "不妥"}),
        ("withdrawal", "withdraw_proposal", {}, {"reason": ""}),
    ):
        bus.answer("org", method, one)
        assert client.post(f"{path}/{verb}", json=body, headers=county).status_code == 200
        assert bus.sent[-1].arguments == {"proposal_id": one["proposal_id"], **arguments}
    assert client.post(f"{path}/rejection", json={}, headers=county).status_code == 400


def test_open_proposals_come_with_masked_names(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    one = proposal()
    bus.answer("org", "list_grant_proposals", {"items": [one], "next_cursor": None})
    bus.answer("identity", "list_people", {"people": [{"account_id": one["account_id"], "name": "张*"}]})
    [item] = client.get(f"{API}/grant-proposals?place=CN&state=OPEN", headers=county).json["items"]
    assert item["person"]["name"] == "张*"
    assert bus.sent[0].arguments == {"place": "CN", "state": "OPEN", "limit": 50, "cursor": None}


def test_the_second_person_approves_a_code(client: FlaskClient, bus: FakeBus, county: dict[str, str]) -> None:
    one = code(place="CN/440000", role="SUPER_ADMIN", approved_by=str(new_id()))
    bus.answer("org", "approve_authority_code", one)
    answer = client.post(f"{API}/authority-codes/{one['code_id']}/approval", headers=county)
    assert (answer.status_code, answer.json["approved_by"]) == (200, one["approved_by"])
    assert bus.sent[0].arguments == {"code_id": one["code_id"]}


@pytest.mark.parametrize("path", ["", f"/{new_id()}/approval", f"/{new_id()}/rejection", f"/{new_id()}/withdrawal"])
def test_a_visitor_proposes_and_decides_nothing(client: FlaskClient, bus: FakeBus, path: str) -> None:
    wanted = {"account_id": str(new_id()), "role": "AUDITOR", "place": "CN"}
    body = {"": wanted, "n": {"reason": "误"}, "l": None}[path[-1:]]
    answer = client.post(f"{API}/grant-proposals{path}", json=body)
    assert (answer.status_code, answer.json["code"], bus.sent) == (401, "shared.sign_in_first", [])
