"""Schemathesis over the whole API document: whatever is sent, no 5xx, and every answer is one that the document promises.

`YANXIU_FUZZ_CASES` sets the cases per operation (reliability.md S5); the default keeps `make test` short.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.app import create_app
from services.shared.keys import KeyRing
from services.shared.settings import load_settings
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

CASES = int(os.environ.get("YANXIU_FUZZ_CASES", "5"))
# The short run is the same each time; a long one explores, and hypothesis prints how to repeat a failure.
REPEATABLE = "YANXIU_FUZZ_CASES" not in os.environ
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    negative_data_rejection,
]


# Schemathesis reads the document while tests are collected, before any fixture lives.
FOLDER = tempfile.TemporaryDirectory(prefix="yanxiu-fuzz-")
KEYRING = KeyRing(Path(FOLDER.name), generate=True)
APP = create_app(
    dataclasses.replace(load_settings({}), data_dir=Path(FOLDER.name)),
    bus=FakeBus(KEYRING),  # every well-formed request finds nothing
    keyring=KEYRING,
    limit_scale=10**6,
)
schema = schemathesis.openapi.from_wsgi("/openapi.json", APP)


@pytest.fixture(scope="module", autouse=True)
def end_of_fuzzing() -> Iterator[None]:
    yield
    APP.extensions["yanxiu"].revocations.stop()
    FOLDER.cleanup()


@schema.parametrize()
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=REPEATABLE)
def test_no_request_breaks_the_gateway(case: schemathesis.Case) -> None:
    headers = {**(case.headers or {}), **Tokens(KEYRING).headers()}
    case.call_and_validate(checks=CHECKS, headers=headers)
