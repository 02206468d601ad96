"""The same fuzz with the real services and their databases behind the gateway: no 5xx from anywhere.

A national operator and a teacher send in turn, so that well-formed requests go as deep as their data allows.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.app import create_app
from services.shared import migrations
from services.shared.actor import Role
from services.shared.bus.local import LocalClient
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.settings import SERVICES, Settings, load_settings
from tests.gateway.conftest import Tokens
from yanxiu.local import processes

CASES = int(os.environ.get("YANXIU_FUZZ_CASES", "4"))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


class ServicesInProcess:
    """The gateway's bus with the services called directly; what is published is thrown away."""

    client: LocalClient

    def call(self, *words: Any, **options: Any) -> Any:
        return self.client.call(*words, **options)

    def publish(self, *_: Any) -> None:
        """Reports are consumed elsewhere."""

    def check(self) -> None:
        """Always there."""

    def listen(self, _event_type: str, on_connected: Any, _on_message: Any, on_idle: Any) -> None:
        on_connected()
        pause = threading.Event()
        while True:
            pause.wait(0.2)
            on_idle()


# Schemathesis reads the document while tests are collected; the databases come with the fixture.
FOLDER = tempfile.TemporaryDirectory(prefix="yanxiu-fuzz-")
SETTINGS = dataclasses.replace(load_settings({}), data_dir=Path(FOLDER.name), database_prefix=f"fuzz_{os.getpid()}")
KEYRING = KeyRing(Path(FOLDER.name) / "keys", generate=True)
BUS = ServicesInProcess()
APP = create_app(SETTINGS, bus=BUS, keyring=KEYRING, limit_scale=10**6)
schema = schemathesis.openapi.from_wsgi("/openapi.json", APP)
OPERATOR, TEACHER = new_id(), new_id()
PEOPLE = (
    (OPERATOR, (Role.NATIONAL_OPERATOR, "CN"), (Role.PROVINCE_ADMIN, "CN/440000"), (Role.COUNTY_ADMIN, "CN/440000")),
    (TEACHER,),
)
TURNS = itertools.cycle(PEOPLE)


@pytest.fixture(scope="module", autouse=True)
def services(postgres_url: str) -> Iterator[None]:
    KEYRING.generate_missing()
    with_database: Settings = dataclasses.replace(SETTINGS, database_url=postgres_url, pool_size=2)
    for service in SERVICES:
        migrations.migrate_service(with_database, KEYRING, service)
    BUS.client = LocalClient(with_database, KEYRING, processes.load_class)
    yield
    APP.extensions["yanxiu"].revocations.stop()
    BUS.client.close()
    migrations.drop_all(with_database)
    FOLDER.cleanup()


@pytest.mark.slow
@pytest.mark.postgres
@schema.parametrize()
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_a_service(case: schemathesis.Case) -> None:
    headers = {**(case.headers or {}), **Tokens(KEYRING).headers(*next(TURNS))}
    case.call_and_validate(checks=CHECKS, headers=headers)
