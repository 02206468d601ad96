"""Ready answers: once asked and not again for a moment, never longer, and no refusal among them."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from marshmallow import fields

from gateway import warm as warm_module
from gateway.blueprints import certs as certs_module
from gateway.warm import Warm
from services.shared.errors import NotFound
from tests.gateway.test_certs import FOUND, NUMBER

PATH = f"/api/v1/verifications/{NUMBER}"


class Answer(ma.Schema):
    value = fields.Integer()


class Monotonic:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    passing = Monotonic()
    monkeypatch.setattr(warm_module, "time", passing)
    monkeypatch.setattr(warm_module.caching, "allow", lambda *_, **__: None)
    return passing


@pytest.fixture
def ask(passing: Monotonic) -> Any:
    """`ask(what)`: the value answered, which counts how often it was made."""
    ready, made = Warm(Answer, 1, most=2), iter(range(1, 100))
    app = Flask("test")

    def run(what: str, takes: float = 0.0) -> int:
        def make() -> dict[str, int]:
            passing.now += takes
            return {"value": next(made)}

        with app.app_context():
            return int(json.loads(ready.answer(what, make).data)["value"])

    return run


def test_an_answer_is_made_once_for_a_second(ask: Any, passing: Monotonic) -> None:
    assert [ask("a"), ask("a")] == [1, 1]
    passing.now += 0.999
    assert ask("a") == 1
    passing.now += 0.001
    assert [ask("a"), ask("a")] == [2, 2]


def test_the_way_there_counts(ask: Any) -> None:
    # Asked for at 0, answered at 0.7: what it tells may be that old.
    assert ask("a", takes=0.7) == 1
    assert ask("a", takes=0.31) == 1
    assert ask("b", takes=1.0) == 2
    assert ask("b") == 3, "older than a second when it came"


def test_the_oldest_make_room(ask: Any) -> None:
    assert [ask("a"), ask("b"), ask("c"), ask("b"), ask("c")] == [1, 2, 3, 2, 3]
    assert ask("a") == 4


def test_a_number_is_asked_once_and_answered_alike(make_app: Any, bus: Any) -> None:
    client = make_app(certs_module).test_client()
    bus.answer("certs", "verify_certificate", FOUND)
    first, second = client.get(PATH), client.get(PATH)
    assert len(bus.sent) == 1
    assert first.json == second.json
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Cache-Control"] == "public, max-age=1"
    assert client.get(PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert client.head(PATH).data == b""
    assert len(bus.sent) == 1


def test_a_refusal_is_not_kept(make_app: Any, bus: Any) -> None:
    client = make_app(certs_module).test_client()
    bus.answer("certs", "verify_certificate", NotFound("certs.number_unknown", "number"))
    assert [client.get(PATH).status_code for _ in range(2)] == [404, 404]
    assert len(bus.sent) == 2
    bus.answer("certs", "verify_certificate", FOUND)
    assert client.get(PATH).status_code == 200
