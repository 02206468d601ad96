"""Study reports at the edge: tokens, receipts and segments are checked here, and nobody is asked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import hypothesis
import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.blueprints import learning as blueprint
from gateway.schemas import learning as schemas
from services.learning import contract
from services.learning.contract import tokens
from services.learning.contract.tokens import PlayToken, mint_play_token
from services.shared import clock
from services.shared.ids import new_id


class Player:
    """A signed-in teacher with a study session of a 900-second video."""

    def __init__(self, app: Any, tokens: Any, keyring: Any) -> None:
        self.client = app.test_client()
        self.keyring = keyring
        self.teacher_id = new_id()
        self.headers = tokens.headers(self.teacher_id)
        self.token = PlayToken(
            study_session_id=new_id(),
            teacher_id=self.teacher_id,
            activity_id=new_id(),
            duration_seconds=900,
            fence=1,
            shard=3,
            expires_at=clock.now() + dt.timedelta(minutes=10),
        )

    def signed(self, purpose: str = "play-token", **changes: Any) -> str:
        return mint_play_token(dataclasses.replace(self.token, **changes), self.keyring.signing_key(purpose).sign)

    def report(self, *segments: tuple[Any, Any], session_id: uuid.UUID | None = None, **changes: Any) -> Any:
        body = {
            "play_token": self.signed(),
            "seq": 1,
            "segments": [{"from": begin, "to": end} for begin, end in segments],
            **changes,
        }
        address = f"/api/v1/study-sessions/{session_id or self.token.study_session_id}/segments"
        return self.client.post(address, json=body, headers=self.headers)


@pytest.fixture
def player(make_app, tokens, gateway_keyring):
    return Player(make_app(blueprint), tokens, gateway_keyring)


def test_an_accepted_report_is_with_the_broker_and_has_a_receipt(player, bus):
    response = player.report((0, 60), (90, 120))
    assert response.status_code == 202
    [published] = bus.published
    assert (published.exchange, published.routing_key) == (contract.STUDY_EXCHANGE, "3")
    assert published.body == {
        "kind": "report",
        "study_session_id": str(player.token.study_session_id),
        "seq": 1,
        "segments": [[0, 60], [90, 120]],
        "received_at": response.json["received_at"],
    }
    assert bus.sent == []


def test_a_report_sent_again_with_its_receipt_keeps_its_time(player, bus):
    first = player.report((0, 60)).json
    again = player.report((0, 60), receipt=first["receipt"])
    assert again.status_code == 202
    assert again.json == first
    assert [published.body["received_at"] for published in bus.published] == [first["received_at"]] * 2


def test_a_receipt_outlives_the_token(player):
    receipt = player.report((0, 60)).json["receipt"]
    expired = player.signed(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert player.report((0, 60), play_token=expired, receipt=receipt).status_code == 202
    refused = player.report((0, 60), play_token=expired)
    assert (refused.status_code, refused.json["code"]) == (403, "learning.play_token_expired")


@pytest.mark.parametrize("change", [{"seq": 2}, {"segments": [{"from": 0, "to": 61}]}])
def test_a_receipt_is_of_one_report_only(player, bus, change):
    receipt = player.report((0, 60)).json["receipt"]
    refused = player.report((0, 60), receipt=receipt, **change)
    assert (refused.status_code, refused.json["code"]) == (400, "learning.receipt_invalid")
    assert len(bus.published) == 1


@pytest.mark.parametrize("change", [lambda text: text[:-4] + "AAAA", lambda text: "x", lambda text: text + "="])
def test_an_altered_token_is_refused(player, bus, change):
    refused = player.report((0, 60), play_token=change(player.signed()))
    assert (refused.status_code, refused.json["code"]) == (403, "learning.play_token_invalid")
    assert bus.published == []


def test_a_token_signed_by_another_key_is_refused(player):
    assert player.report((0, 60), play_token=player.signed("receipt")).json["code"] == "learning.play_token_invalid"


def test_another_sessions_or_persons_token_looks_unknown(player, bus):
    assert player.report((0, 60), session_id=new_id()).status_code == 404
    foreign = player.report((0, 60), play_token=player.signed(teacher_id=new_id()))
    assert (foreign.status_code, foreign.json["code"]) == (404, "learning.session_unknown")
    assert bus.published == []


def test_a_visitor_reports_nothing(player):
    player.headers = {}
    assert player.report((0, 60)).status_code == 401


@pytest.mark.parametrize(
    ("segments", "code", "field"),
    [
        ([(0, 901)], "learning.segment_outside", "segments.0"),
        ([(0, 10), (-5, 3)], "learning.segment_outside", "segments.1"),
        ([(60, 60)], "learning.segment_backwards", "segments.0"),
        ([(60, 30)], "learning.segment_backwards", "segments.0"),
        ([(0, 60), (59, 90)], "learning.segments_overlap", "segments.1"),
        ([(0, "60")], "shared.invalid", "segments.0.to"),
        ([(0.5, 60)], "shared.invalid", "segments.0.from"),
        ([(True, 60)], "shared.invalid", "segments.0.from"),
        ([], "shared.invalid", "segments"),
        ([(n, n + 1) for n in range(201)], "shared.invalid", "segments"),
    ],
)
def test_segments_that_cannot_be_are_refused_by_name(player, bus, segments, code, field):
    refused = player.report(*segments)
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (400, code, field)
    assert bus.published == []


@pytest.mark.parametrize("seq", [0, -1, 2**31, "1", 1.0, None])
def test_a_seq_counts_from_one(player, seq):
    refused = player.report((0, 60), seq=seq)
    assert (refused.status_code, refused.json["field"]) == (400, "seq")


def test_a_broker_that_is_away_gives_no_receipt(player, bus):
    bus.down = True
    refused = player.report((0, 60))
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers


def test_enrolments_go_by_pages(make_app, tokens, bus):
    client, headers = make_app(blueprint).test_client(), tokens.headers()
    seen = []

    def answer(arguments, _actor):
        seen.append(arguments["cursor"])
        return {"items": [], "next_cursor": None if arguments["cursor"] else ["2023-01-10T02:00:00Z", "id"]}

    bus.answer("learning", "list_enrolments", answer)
    first = client.get("/api/v1/enrolments", headers=headers).json
    client.get("/api/v1/enrolments", query_string={"cursor": first["next_cursor"]}, headers=headers)
    assert seen == [None, ["2023-01-10T02:00:00Z", "id"]]


def test_commands_carry_the_key_of_the_client(make_app, tokens, bus):
    client, headers = make_app(blueprint).test_client(), tokens.headers()
    bus.answer("learning", "enrol", {"programme_id": str(new_id())})
    body = {"programme_id": str(new_id())}
    reply = client.post("/api/v1/enrolments", json=body, headers={**headers, "Idempotency-Key": "key-12345678"})
    assert reply.status_code == 200
    assert (bus.sent[-1].method, bus.sent[-1].command_id, bus.sent[-1].arguments) == ("enrol", "key-12345678", body)


@pytest.mark.parametrize(
    ("address", "method", "body"),
    [
        ("/study-sessions", "open_study_session", {"activity_id": str(new_id()), "client_id": "device-one"}),
        (f"/study-sessions/{new_id()}/token", "renew_play_token", None),
        (f"/study-sessions/{new_id()}/answers", "answer_quiz", {"quiz_id": str(new_id()), "answers": ["第二门"]}),
    ],
)
def test_other_routes_ask_learning(make_app, tokens, bus, address, method, body):
    client = make_app(blueprint).test_client()
    bus.answer("learning", method, {})
    reply = client.post(f"/api/v1{address}", json=body, headers=tokens.headers())
    assert reply.status_code in (200, 201)
    assert (bus.sent[-1].service, bus.sent[-1].method) == ("learning", method)


# --- the quick reading of a report says what marshmallow says ------------------------------------------------------------

_whole = st.one_of(st.integers(-5, 3000), st.sampled_from([True, None, 1.0, "1", 2**31 - 1, 2**31 - 2, 0]))
_segment = st.one_of(
    st.fixed_dictionaries({"from": _whole, "to": _whole}, optional={"more": _whole}),
    st.sampled_from([None, [], {}, "segment", {"from": 1}]),
)
_body = st.one_of(
    st.fixed_dictionaries(
        {
            "play_token": st.sampled_from(["token", "", "x" * 2048, "x" * 2049, None, 7]),
            "seq": _whole,
            "segments": st.one_of(
                st.lists(_segment, max_size=4), st.sampled_from([None, {}, "s", [{"from": 0, "to": 1}] * 201])
            ),
        },
        optional={"receipt": st.sampled_from(["receipt", "", None, "x" * 2049]), "other": st.just(1)},
    ),
    st.sampled_from([{}, [], None, "report", {"seq": 1}]),
)


@given(_body)
@hypothesis.settings(max_examples=600, deadline=None)
def test_the_quick_reading_of_a_report_agrees_with_the_schema(body):
    try:
        slow = super(schemas.StudyReport, schemas.StudyReport()).load(body)
    except ma.ValidationError:
        slow = None
    assert schemas.data_of_report(body) == slow


def test_a_good_report_takes_the_quick_way():
    body = {"play_token": "t", "seq": 1, "segments": [{"from": 0, "to": 60}]}
    assert schemas.data_of_report(body) == {"play_token": "t", "seq": 1, "segments": [{"begin": 0, "end": 60}]}


def test_a_token_is_verified_once_but_its_end_is_seen(player, monkeypatch):
    seen = []
    read = tokens.read_play_token
    monkeypatch.setattr(tokens, "read_play_token", lambda text, by: seen.append(text) or read(text, by))
    soon = player.signed(expires_at=clock.now() + dt.timedelta(seconds=1))
    assert [player.report((0, 60), play_token=soon, seq=seq).status_code for seq in (1, 2, 3)] == [202] * 3
    assert len(seen) == 1
    later = clock.now() + dt.timedelta(seconds=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert player.report((0, 60), play_token=soon, seq=4).json["code"] == "learning.play_token_expired"
