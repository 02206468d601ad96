"""Caching, conditional reads and the headers that protect browsers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.shared.errors import NotFound
from tests.fakes import FakeBus
from tests.gateway import sample

NOTE = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"
EVERYWHERE = ["/live", "/docs", "/openapi.json", "/api/v1/notes", "/nothing", NOTE]


def test_nothing_is_kept_unless_the_view_says_so(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": None})
    answer = client.get("/api/v1/notes")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers


def test_a_known_version_costs_no_body(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", {"note_id": "1", "title": "x"})
    first = client.get(NOTE)
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = client.get(NOTE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    bus.answer("notes", "get_note", {"note_id": "1", "title": "y"})
    changed = client.get(NOTE, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_refusals_are_never_kept(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", NotFound("shared.not_found"))
    assert client.get(NOTE, headers={"If-None-Match": "*"}).headers["Cache-Control"] == "private, no-store"


def test_hostile_validators(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", {})
    for value in ('"', "W/", ",,,", 'x"y"z' * 500, "*"):
        assert client.get(NOTE, headers={"If-None-Match": value}).status_code in (200, 304)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_protecting_headers_are_everywhere(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Strict-Transport-Security" not in headers
    assert headers["X-Call-Id"]


def test_https_is_remembered(make_app: Callable[..., Flask]) -> None:
    headers = make_app(sample, base_url="https://yanxiu.example").test_client().get("/live").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_other_origins_get_nothing(client: FlaskClient) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = client.open("/api/v1/notes", method=method, headers=headers)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
