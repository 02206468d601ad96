"""What happens before the first request: nothing that a fork would break, and nothing that needs a database."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable

import flask_smorest
import pytest
from flask import Flask

from tests.gateway import sample

IMPORTS = """
import sys
import gateway.app
heavy = {"kombu", "amqp", "nameko", "eventlet", "sqlalchemy", "psycopg"}
print(",".join(sorted(heavy & {name.split(".")[0] for name in sys.modules})))
"""


def test_nothing_connects_and_no_thread_starts(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection before the first request")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = set(threading.enumerate())
    app = make_app(sample, redis_url="redis://127.0.0.1:1", amqp_uri="amqp://127.0.0.1:1")
    assert set(threading.enumerate()) == before
    assert app.test_client().get("/live").status_code == 200
    assert set(threading.enumerate()) == before


def test_importing_it_needs_neither_broker_nor_database_libraries() -> None:
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_a_lenient_blueprint_is_refused(make_app: Callable[..., Flask]) -> None:
    module = types.ModuleType("lenient")
    module.blueprint = flask_smorest.Blueprint("lenient", "lenient")
    with pytest.raises(TypeError, match="gateway\\.openapi\\.Blueprint"):
        make_app(module)


def test_applications_do_not_disturb_each_other(make_app: Callable[..., Flask]) -> None:
    first, second = make_app(sample).test_client(), make_app(sample).test_client()
    assert first.get("/openapi.json").data == second.get("/openapi.json").data
