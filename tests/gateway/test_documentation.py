"""The API document is valid and complete for every operation; the reference page asks no other host for anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

import gateway.documentation
from gateway.openapi import PREFIX

FILES = Path(gateway.documentation.__file__).parent / "files"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(params=["sample", "real"])
def document(request: pytest.FixtureRequest, make_app: Callable[..., Flask]) -> dict[str, Any]:
    from tests.gateway import sample

    app = make_app(sample) if request.param == "sample" else make_app()
    return app.test_client().get("/openapi.json").json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    missing = []
    for path, method, operation in operations(document):
        assert path.startswith(PREFIX)
        parts = ("operationId", "summary", "tags", "responses", "x-rate-limit")
        missing += [f"{method} {path}: {part}" for part in parts if not operation.get(part)]
        # An empty list is a statement too: visitors may call it.
        missing += [] if "security" in operation else [f"{method} {path}: security"]
    assert missing == []


def test_every_code_is_listed_with_its_texts(document: dict[str, Any]) -> None:
    codes = document["x-problem-codes"]
    assert codes["shared.key_reused"]["en"].startswith("This Idempotency-Key")
    assert {code.split(".")[0] for code in codes} >= {"shared", "identity", "org", "learning"}


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_tells_its_problems(document: dict[str, Any]) -> None:
    components = document["components"].get("responses", {})
    for path, method, operation in operations(document):
        statuses = ["400", "401", "403", "404", "405", "429", "500", "503", "504"]
        statuses += [] if method == "get" else ["409", "413", "415", "422"]
        for status in statuses:
            response = operation["responses"][status]
            response = components[response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
            assert "application/problem+json" in response["content"], f"{method} {path} {status}"


def test_headers_are_documented(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        names = {parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation["parameters"]}
        assert "ACCEPT_LANGUAGE" in names, path
        assert ("IDEMPOTENCY_KEY" in names) == (method != "get"), path


def test_the_document_may_be_kept(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    first = client.get("/openapi.json")
    assert client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_reference_page_uses_own_files_only(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) >= 4
    for address in addresses:
        if address != "data:,":
            assert address.startswith("/"), address
            with client.get(address) as answer:
                assert answer.status_code == 200, address
    assert "<script>" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "*" not in policy


def test_the_page_speaks_both_languages(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    assert "研修平台接口" in client.get("/docs").text
    assert "Yanxiu API" in client.get("/docs", headers={"Accept-Language": "en"}).text


def test_vendored_files_are_unchanged() -> None:
    listed = (FILES / "vendor" / "SHA256SUMS").read_text().split("\n")
    for line in filter(None, listed):
        digest, name = line.split()
        assert hashlib.sha256((FILES / "vendor" / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize(
    "name", ["../../app.py", "..%2f..%2fapp.py", "/etc/passwd", "vendor/../../templates/reference.html"]
)
def test_only_the_files_are_served(make_app: Callable[..., Flask], name: str) -> None:
    assert make_app().test_client().get(f"/docs/files/{name}").status_code in (308, 404)
