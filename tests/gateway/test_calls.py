"""Deadlines, publishing, cursors and what else happens between a view and the bus."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from services.shared import trace
from services.shared.errors import Unavailable
from tests.fakes import FakeBus
from tests.gateway import sample
from tests.gateway.conftest import Tokens

NOTE = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"


def test_a_call_gets_what_is_left_of_the_request(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", {})
    answer = client.get(NOTE)
    assert 4.5 < bus.sent[0].timeout <= 5
    assert bus.sent[0].call_id == answer.headers["X-Call-Id"]


def test_no_call_is_made_without_time(make_app: Callable[..., Flask], bus: FakeBus) -> None:
    answer = make_app(sample, rpc_deadline_seconds=0.04).test_client().get(NOTE)
    assert answer.status_code == 504
    assert answer.json["code"] == "shared.deadline"
    assert bus.sent == []


def test_the_trace_goes_on(client: FlaskClient, bus: FakeBus) -> None:
    seen: list[str] = []
    bus.answer("notes", "get_note", lambda *_: seen.append(trace.current()) or {})
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.get(NOTE, headers={"traceparent": parent})
    client.get(NOTE, headers={"traceparent": "00-nonsense"})
    assert seen[0][3:35] == parent[3:35]
    assert seen[0][36:52] != parent[36:52]
    assert len(seen[1]) == 55


def test_publishing_answers_202_and_makes_no_call(client: FlaskClient, bus: FakeBus) -> None:
    answer = client.post("/api/v1/reports", json={"title": "x"})
    assert answer.status_code == 202
    assert bus.published[0].body == {"title": "x"}
    assert bus.sent == []


def test_a_full_publisher_is_told_at_once(client: FlaskClient, bus: FakeBus, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise Unavailable("shared.busy")

    monkeypatch.setattr(bus, "publish", refuse)
    started = time.monotonic()
    answer = client.post("/api/v1/reports", json={"title": "x"})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert time.monotonic() - started < 1


def test_cursors_are_sealed(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": {"after": "王"}})
    mine, other = tokens.headers(), tokens.headers()
    cursor = client.get("/api/v1/notes", headers=mine).json["next_cursor"]
    assert client.get("/api/v1/notes", query_string={"cursor": cursor}, headers=mine).status_code == 200
    assert bus.sent[-1].arguments["after"] == {"after": "王"}
    stolen = client.get("/api/v1/notes", query_string={"cursor": cursor}, headers=other)
    assert (stolen.status_code, stolen.json["code"]) == (400, "shared.bad_cursor")
    altered = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    assert client.get("/api/v1/notes", query_string={"cursor": altered}, headers=mine).status_code == 400


def test_a_last_page_has_no_cursor(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "list_notes", {"items": [{"note_id": "1", "title": "x"}], "next_cursor": None})
    assert client.get("/api/v1/notes").json == {"items": [{"note_id": "1", "title": "x"}], "next_cursor": None}
