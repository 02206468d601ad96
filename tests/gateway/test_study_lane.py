"""The short way of study reports accepts what the ordinary way accepts, and says nothing else."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import study_lane
from gateway.blueprints import learning as blueprint
from services.shared import clock
from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.gateway.test_learning import Player

# Whoever numbers a request has it logged, so it goes the ordinary way.
ORDINARY = {"X-Request-Id": "the-ordinary-way"}
OWN_HEADERS = {"X-Call-Id", "X-Request-Id"}


class Ways:
    """One report sent both ways; what differs between two calls (instants, numbers, receipts' instants) left out."""

    def __init__(self, app: Any, player: Player, bus: Any) -> None:
        self.app = app
        self.player = player
        self.bus = bus
        self.through_flask = 0
        inner = app.full_dispatch_request

        def counted() -> Any:
            self.through_flask += 1
            return inner()

        app.full_dispatch_request = counted

    def body(self, **changes: Any) -> dict[str, Any]:
        return {"play_token": self.player.signed(), "seq": 1, "segments": [{"from": 0, "to": 60}], **changes}

    def send(self, body: bytes | dict[str, Any], **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        address = f"/api/v1/study-sessions/{self.player.token.study_session_id}/segments"
        sent = {"Content-Type": "application/json", **self.player.headers, **headers}
        return self.player.client.post(address, data=data, headers=sent)

    def both(self, body: bytes | dict[str, Any], **headers: str) -> tuple[Any, Any]:
        return self._told(self.send(body, **headers)), self._told(self.send(body, **{**headers, **ORDINARY}))

    def _told(self, response: Any) -> Any:
        published = [(one.exchange, one.routing_key, one.body) for one in self.bus.published]
        self.bus.published.clear()
        for _, _, message in published:
            message["received_at"] = bool(message["received_at"])
        said = response.json
        for key in ("call_id", "received_at", "receipt"):
            if key in said:
                said[key] = bool(said[key])
        headers = {name: value for name, value in response.headers.items() if name not in OWN_HEADERS}
        headers.pop("Content-Length")
        return response.status_code, said, headers, published


@pytest.fixture
def ways(make_app, tokens, gateway_keyring, bus):
    app = make_app(blueprint)
    return Ways(app, Player(app, tokens, gateway_keyring), bus)


def test_an_accepted_report_does_not_enter_flask(ways):
    assert ways.send(ways.body()).status_code == 202
    assert ways.through_flask == 0
    assert ways.send(ways.body(), **ORDINARY).status_code == 202
    assert ways.through_flask == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a-key-of-mine"}, {"Accept-Language": "en"}])
def test_both_ways_say_and_publish_the_same(ways, headers):
    short, ordinary = ways.both(ways.body(), **headers)
    assert short == ordinary
    assert short[0] == 202
    assert len(short[3]) == 1


def test_a_receipt_of_one_way_holds_on_the_other(ways):
    receipt = ways.send(ways.body()).json["receipt"]
    again = ways.send(ways.body(receipt=receipt), **ORDINARY).json
    assert again["receipt"] == receipt
    assert ways.send(ways.body(receipt=again["receipt"])).json == again


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": "short"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic x"},
        {"Authorization": ""},
        {"X-Long": "x" * 9000},
        {"Content-Encoding": "gzip"},
    ],
)
def test_odd_headers_are_judged_alike(ways, headers):
    short, ordinary = ways.both(ways.body(), **headers)
    assert short == ordinary


def _altered(texts: st.SearchStrategy[bytes], body: bytes) -> st.SearchStrategy[bytes]:
    """`body` with a stretch of it replaced by some text."""
    place = st.integers(0, len(body))
    return st.tuples(place, st.integers(0, 12), texts).map(
        lambda cut: body[: cut[0]] + cut[2] + body[cut[0] + cut[1] :]
    )


_TEXTS = st.sampled_from(
    [
        *(b"", b" ", b"\n", b"\\", b'"', b"\\u0022", b",", b":", b"{", b"}", b"[", b"]", b"0", b"1", b"-1", b"1.0"),
        *(b"1e3", b"NaN", b"Infinity", b"true", b"null", b"99999999999999999999", b"\xef\xbb\xbf", b"\x00", b"\xff"),
        *(b'"seq":2,', b'"seq":1,"seq":', b'"from":1,', b'{"from":1,"to":2},', b'"receipt":"",', b'"__type__":1,'),
        *("中".encode(), b'"play_token":"x",', b'"more":1,', b"01", b"+1", b"/**/", b"'"),
    ]
)


@given(data=st.data())
@hypothesis.settings(
    max_examples=400, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_altered_bodies_are_judged_alike(ways, data):
    body = json.dumps(ways.body(segments=[{"from": 0, "to": 60}, {"from": 90, "to": 120}])).encode()
    # Most alterations behind the token: a wrong letter of it says little.
    start = data.draw(st.sampled_from([0, body.index(b'"seq"'), body.index(b'"segments"')]))
    altered = body[:start] + data.draw(_altered(_TEXTS, body[start:]))
    short, ordinary = ways.both(altered)
    assert short == ordinary


def test_twin_a_reader_of_the_last_of_two_keys_would_differ(ways, monkeypatch):
    """Sabotage: without the count of quotes the comparison above fails."""
    doubled = json.dumps(ways.body()).replace('"seq": 1', '"seq": 1, "seq": 2').encode()
    short, ordinary = ways.both(doubled)
    assert short == ordinary
    assert ordinary[1]["code"] == "shared.json_duplicate_key"
    monkeypatch.setattr(study_lane, "_load", lambda body: study_lane.data_of_report(json.loads(body)))
    short, ordinary = ways.both(doubled)
    assert (short[0], ordinary[0]) == (202, 400)


def test_a_broken_off_body_is_refused_alike(ways):
    body = json.dumps(ways.body()).encode()
    address = f"/api/v1/study-sessions/{ways.player.token.study_session_id}/segments"

    def send(**headers: str) -> Any:
        length = {"CONTENT_LENGTH": str(len(body) + 5)}
        sent = {"Content-Type": "application/json", **ways.player.headers, **headers}
        return ways.player.client.post(address, data=body, headers=sent, environ_overrides=length)

    short, ordinary = send(), send(**ORDINARY)
    assert (short.status_code, short.json["code"]) == (ordinary.status_code, ordinary.json["code"])
    assert short.status_code >= 400
    assert ways.bus.published == []


def test_a_revoked_sign_in_reports_nothing(ways, app):
    assert ways.send(ways.body()).status_code == 202
    ways.app.extensions["yanxiu"].revocations.add(
        {
            "account_id": str(ways.player.teacher_id),
            "session_id": None,
            "not_before": clock.format_instant(clock.now()),
        }
    )
    refused = ways.send(ways.body())
    assert (refused.status_code, refused.json["code"]) == (401, "shared.token_revoked")


def test_a_broker_that_does_not_confirm_is_asked_once(ways, monkeypatch):
    asked = []

    def publish(*arguments: Any) -> None:
        asked.append(arguments)
        raise Unavailable("shared.busy")

    monkeypatch.setattr(ways.bus, "publish", publish)
    refused = ways.send(ways.body())
    assert (refused.status_code, refused.json["code"]) == (503, "shared.busy")
    assert "Retry-After" in refused.headers
    assert len(asked) == 1


def test_reports_beyond_the_limit_are_refused(make_app, tokens, gateway_keyring, bus):
    app = make_app(blueprint, limit_scale=1)
    ways = Ways(app, Player(app, tokens, gateway_keyring), bus)
    body = ways.body()
    statuses = [ways.send(body).status_code for _ in range(245)]
    assert statuses[:240] == [202] * 240
    assert set(statuses[240:]) == {429}
    assert len(bus.published) == 240


def test_both_ways_are_counted_as_one_route(ways):
    ways.both(ways.body())
    figures = ways.player.client.get("/metrics").text
    counts = [line for line in figures.splitlines() if line.startswith("yanxiu_http_seconds_count{")]
    accepted = [line for line in counts if "segments" in line and 'status="202"' in line]
    assert [f'route="{study_lane.ROUTE}"' in line for line in accepted] == [True]


def test_an_application_without_the_route_has_no_lane(app, tokens, gateway_keyring, bus):
    player = Player(app, tokens, gateway_keyring)
    assert player.report((0, 60)).status_code == 404
    assert bus.published == []


def test_another_sessions_token_is_unknown_on_both_ways(ways):
    body = ways.body()
    ways.player.token = dataclasses.replace(ways.player.token, study_session_id=new_id())
    short, ordinary = ways.both(body)
    assert short == ordinary
    assert short[1]["code"] == "learning.session_unknown"
