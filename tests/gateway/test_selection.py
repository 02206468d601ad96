"""Routes of selection: what they pass on and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import selection as selection_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, Unavailable
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

API = "/api/v1"
PLACE = "CN/440000/440100/440103"
ID = str(new_id())
ADMIN = (Role.SCHOOL_ADMIN, f"{PLACE}/s1")
INSTITUTION = (Role.DISTRICT_INSTITUTION, PLACE)
MADE = {"choice_id": ID, "state": "CHOSEN"}


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(selection_blueprint).test_client()


@pytest.mark.parametrize(
    ("verb", "path", "body", "method", "arguments", "status"),
    [
        ("put", f"/basket/{ID}", None, "put_in_basket", {"offering_id": ID}, 200),
        ("delete", f"/basket/{ID}", None, "take_from_basket", {"offering_id": ID}, 200),
        ("post", "/basket/submission", {"offering_ids": [ID]}, "submit_basket", {"offering_ids": [ID]}, 200),
        ("post", "/choices", {"offering_id": ID}, "choose_course", {"offering_id": ID}, 201),
        (
            "post",
            f"/teachers/{ID}/choices",
            {"offering_id": ID},
            "choose_course_for",
            {"teacher_id": ID, "offering_id": ID},
            201,
        ),
        ("post", f"/choices/{ID}/cancellation", None, "cancel_choice", {"choice_id": ID}, 200),
        (
            "post",
            "/grades",
            {"grades": [{"choice_id": ID, "passed": True, "score": "92.5"}]},
            "grade_choices",
            {"grades": [{"choice_id": ID, "passed": True, "score": "92.5"}]},
            200,
        ),
        (
            "post",
            f"/choices/{ID}/voiding",
            {"reason": "停课"},
            "void_choice",
            {"choice_id": ID, "reason": "停课"},
            200,
        ),
    ],
)
def test_each_act_is_a_command_of_its_own(
    client: FlaskClient,
    bus: FakeBus,
    tokens: Tokens,
    verb: str,
    path: str,
    body: Any,
    method: str,
    arguments: dict[str, Any],
    status: int,
) -> None:
    bus.answer("learning", method, MADE)
    headers = tokens.headers(None, ADMIN, INSTITUTION) | {"Idempotency-Key": "select-0001"}
    answer = getattr(client, verb)(API + path, json=body, headers=headers)
    assert answer.status_code == status
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == (arguments, "select-0001")


def test_lists_pass_their_filters_and_seal_their_cursors(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    inner = f"{PLACE} {ID} {ID}"
    bus.answer("learning", "list_choices", {"items": [], "next_cursor": inner})
    headers = tokens.headers(None, ADMIN)
    path = f"{API}/choices?place={PLACE}&bucket=STUDYING&state=ADMITTED&period_id={ID}&search=信息"
    first = client.get(path, headers=headers)
    assert first.status_code == 200
    assert bus.sent[0].arguments == {
        "place": PLACE,
        "bucket": "STUDYING",
        "state": "ADMITTED",
        "period_id": ID,
        "search": "信息",
        "limit": 50,
        "cursor": None,
    }
    assert inner not in first.json["next_cursor"]
    client.get(f"{path}&cursor={first.json['next_cursor']}", headers=headers)
    assert bus.sent[1].arguments["cursor"] == inner


def test_figures_say_up_to_when_they_hold_everything(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    reply = {"items": [{"chosen": 3, "pass_rate": None}], "next_cursor": None, "as_of": "2023-03-05T02:00:00.000000Z"}
    for path, method in (
        ("choice-statistics", "list_choice_statistics"),
        ("choice-statistics/below", "list_choice_statistics_below"),
    ):
        bus.answer("learning", method, reply)
        answer = client.get(f"{API}/{path}?place={PLACE}&period_id={ID}", headers=tokens.headers(None, ADMIN))
        assert (answer.status_code, answer.json["as_of"]) == (200, reply["as_of"])
        assert answer.json["items"] == [{"chosen": 3, "pass_rate": None}]


def test_seats_of_several_courses(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer(
        "learning", "list_seats", {"items": [{"offering_id": ID, "capacity": 500, "taken": 500}], "next_cursor": None}
    )
    answer = client.get(f"{API}/offered-seats?period_id={ID}", headers=tokens.headers())
    assert answer.json["items"][0]["taken"] == 500
    assert bus.sent[0].arguments["period_id"] == ID


def test_refusals_are_told_in_the_language_asked_for(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    headers = tokens.headers() | {"Accept-Language": "en"}
    for error, status, words in (
        (Conflict("learning.offering_full"), 409, "full"),
        (Conflict("learning.special_user"), 409, "special user"),
        (Unavailable("learning.holds_unknown"), 503, "arrears"),
    ):
        bus.answer("learning", "choose_course", error)
        answer = client.post(f"{API}/choices", json={"offering_id": ID}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (status, error.code)
        assert words in answer.json["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/choices", {}),
        ("/choices", {"offering_id": "x"}),
        ("/choices", {"offering_id": ID, "teacher_id": ID}),
        ("/basket/submission", {"offering_ids": []}),
        ("/basket/submission", {"offering_ids": [ID] * 51}),
        (f"/choices/{ID}/voiding", {"reason": " "}),
        ("/grades", {"grades": []}),
        ("/grades", {"grades": [{"choice_id": ID, "passed": "yes"}]}),
        ("/grades", {"grades": [{"choice_id": ID, "passed": True, "score": "101"}]}),
    ],
)
def test_bad_bodies_do_not_travel(client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, body: Any) -> None:
    assert client.post(API + path, json=body, headers=tokens.headers()).status_code == 400
    assert bus.sent == []


@pytest.mark.parametrize(
    "query", ["", f"place={PLACE}&bucket=ALL", f"place={PLACE}&state=OPEN", f"place={PLACE}&period_id=1", "place=%20"]
)
def test_bad_queries_do_not_travel(client: FlaskClient, bus: FakeBus, tokens: Tokens, query: str) -> None:
    assert client.get(f"{API}/choices?{query}", headers=tokens.headers(None, ADMIN)).status_code == 400
    assert bus.sent == []
