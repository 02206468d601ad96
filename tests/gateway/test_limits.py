"""Rate limits: whom they count, what is refused when, and what happens when the counter itself is away."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.limits import LIMITS, Limit, WindowStorage
from services.shared.errors import Conflict
from tests.fakes import FakeBus
from tests.gateway import sample
from tests.gateway.conftest import Tokens

NOTES = "/api/v1/notes"
NOTE = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"


@pytest.fixture
def limited(make_app: Callable[..., Flask], bus: FakeBus, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setitem(LIMITS, "list_notes", Limit("3/minute", "5/minute", closed=True))
    monkeypatch.setitem(LIMITS, "report_segments", Limit("3/minute", "5/minute"))
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": None})
    return make_app(sample, limit_scale=1).test_client()


def test_an_account_is_counted_wherever_it_comes_from(limited: FlaskClient, tokens: Tokens) -> None:
    headers = tokens.headers()
    statuses = [
        limited.get(NOTES, headers=headers, environ_overrides={"REMOTE_ADDR": f"10.0.0.{i}"}).status_code
        for i in range(4)
    ]
    assert statuses == [200, 200, 200, 429]
    assert limited.get(NOTES, headers=tokens.headers()).status_code == 200


def test_a_visitor_is_counted_by_address(limited: FlaskClient) -> None:
    assert [limited.get(NOTES).status_code for _ in range(6)] == [200] * 5 + [429]
    assert limited.get(NOTES, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200


def test_a_refusal_says_how_long_to_wait(limited: FlaskClient, bus: FakeBus) -> None:
    for _ in range(5):
        limited.get(NOTES)
    reached = len(bus.sent)
    answer = limited.get(NOTES)
    assert answer.json["code"] == "shared.limit_reached"
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert len(bus.sent) == reached


def test_where_only_failures_count_successes_are_free(
    limited: FlaskClient, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "list_notes", Limit("3/minute", "5/minute", closed=True, failures_only=True))
    assert {limited.get(NOTES).status_code for _ in range(20)} == {200}
    bus.answer("notes", "list_notes", Conflict("shared.conflict"))
    assert [limited.get(NOTES).status_code for _ in range(6)] == [409] * 5 + [429]
    # The right answer does not open the door again for the rest of the window.
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": None})
    assert limited.get(NOTES).status_code == 429


def test_trying_tokens_is_counted_too(limited: FlaskClient, tokens: Tokens) -> None:
    statuses = [limited.get(NOTES, headers=tokens.headers(iss="elsewhere")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


def test_forwarded_addresses_of_strangers_buy_no_new_count(limited: FlaskClient) -> None:
    statuses = [limited.get(NOTES, headers={"X-Forwarded-For": f"9.9.9.{i}"}).status_code for i in range(6)]
    assert statuses[-1] == 429


def test_without_the_counter_guessing_is_refused_and_study_goes_on(
    make_app: Callable[..., Flask], bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "list_notes", Limit("3/minute", "5/minute", closed=True))
    bus.answer("notes", "get_note", {})
    # Nothing listens there.
    client = make_app(sample, redis_url="redis://127.0.0.1:1").test_client()
    refused = client.get(NOTES)
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert client.post("/api/v1/reports", json={"title": "x"}).status_code == 202
    assert len(bus.published) == 1


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own, on a socket in its folder."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    path = tmp_path / "redis.sock"
    with subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 10
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"redis+unix://{path}"
        server.terminate()


def test_two_processes_share_their_counts_through_redis(
    make_app: Callable[..., Flask], bus: FakeBus, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setitem(LIMITS, "list_notes", Limit("3/minute", "5/minute", closed=True))
    monkeypatch.setitem(LIMITS, "get_note", Limit("3/minute", "5/minute", closed=True, failures_only=True))
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": None})
    bus.answer("notes", "get_note", {})
    first, second = (make_app(sample, redis_url=redis_url, limit_scale=1).test_client() for _ in range(2))
    statuses = [client.get(NOTES).status_code for client in (first, second, first, second, first, second)]
    assert statuses == [200] * 5 + [429]
    assert {client.get(NOTE).status_code for client in (first, second) * 5} == {200}


def test_what_must_not_be_guessed_is_closed() -> None:
    closed = {name for name, limit in LIMITS.items() if limit.closed}
    assert {"sign_in", "request_sms_code", "register_account", "verify_certificate"} <= closed
    assert not LIMITS["report_segments"].closed


def test_every_limit_belongs_to_an_operation(make_app: Callable[..., Flask]) -> None:
    document = make_app().test_client().get("/openapi.json").json
    known = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    # The verification page is HTML, so it is not in the API document.
    assert set(LIMITS) - known == {"verify_certificate_page"}


def test_counters_that_ended_are_swept_away() -> None:
    storage = WindowStorage()
    for number in range(9_999):
        storage.incr(f"key{number}", -1)
    storage.incr("last", 60)
    assert list(storage._counts) == ["last"]
