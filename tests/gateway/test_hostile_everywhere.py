"""The hostile corpus against every real operation: a problem with its code each time, and no service is ever reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.context import gateway
from gateway.openapi import Operation
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens
from tests.gateway.test_strict_json import CASES

AN_ID = "0190a5a0-0000-7000-8000-000000000001"


@pytest.fixture
def real(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


def operations(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    """(method, an address, operation) of everything in the document."""
    with app.app_context():
        known = gateway().operations
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if operation := known.find(rule.endpoint, method):
                address = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
                address = re.sub(r"<int:[^>]+>", "2023", address)
                yield method, re.sub(r"<[^>]+>", AN_ID, address), operation


def refuse(client: FlaskClient, method: str, path: str, **request: Any) -> None:
    answer = client.open(path, method=method, **request)
    what = f"{method} {path} {str(request)[:200]} -> {answer.status_code}"
    assert 400 <= answer.status_code < 500, what
    assert answer.content_type == "application/problem+json", what
    assert answer.json["code"], what


def test_hostile_bodies_everywhere(real: Flask, bus: FakeBus, tokens: Tokens) -> None:
    client, headers, tried = real.test_client(), tokens.headers(), 0
    for method, path, operation in operations(real):
        if method == "GET":
            continue
        for name, (body, *_) in CASES.items():
            if name == "empty" or (operation.takes_upload and len(body) > 10_000):
                continue
            refuse(client, method, path, data=body, headers={**headers, "Content-Type": "application/json"})
            tried += 1
        multipart = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
        refuse(client, method, path, data=b"--x\r\ngarbage", headers=multipart)
    assert tried > 300
    assert bus.sent == []
    assert bus.published == []


def test_hostile_queries_everywhere(real: Flask, bus: FakeBus, tokens: Tokens) -> None:
    client, headers = real.test_client(), tokens.headers()
    for method, path, _ in operations(real):
        for query in ("no_such_parameter=1", "a=%00", "a=%ff", "a=1&a=2", "a=" + "x" * 5000, "limit=5&limit=5"):
            refuse(client, method, path, query_string=query, headers=headers)
    assert bus.sent == []


def test_bad_tokens_everywhere(real: Flask, bus: FakeBus, tokens: Tokens) -> None:
    client = real.test_client()
    for method, path, _ in operations(real):
        for token in ("x", tokens.make(exp=1), tokens.make(iss="elsewhere")):
            answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, f"{method} {path}"
    assert bus.sent == []


def test_ids_that_are_none_everywhere(real: Flask, bus: FakeBus, tokens: Tokens) -> None:
    client, headers = real.test_client(), tokens.headers()
    for rule in list(real.url_map.iter_rules()):
        if "<uuid:" not in rule.rule or not rule.rule.startswith("/api/v1/"):
            continue
        for wrong in ("1", "null", "%00", "..", "0190a5a0-0000-7000-8000-00000000000g", "%F0%9F%98%80", "x" * 3000):
            path = re.sub(r"<[^>]+>", wrong, rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                assert 300 < client.open(path, method=method, headers=headers).status_code < 500, f"{method} {path}"
    assert bus.sent == []
