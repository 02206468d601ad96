"""The same fuzz with the real services and their databases behind the gateway: no 5xx from anywhere.

A national operator, a school's admin and a teacher send in turn, most of them about things that exist, so that
well-formed requests go deep.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import tempfile
import threading
import uuid
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
from services import catalog
from services.shared import migrations
from services.shared.actor import ActorSigner, Role, service_actor
from services.shared.bus.local import LocalClient
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.settings import SERVICES, Settings, load_settings
from services.shared.yaml_files import read_yaml
from tests.gateway.conftest import Tokens
from yanxiu.journey.people import invent
from yanxiu.local import processes

CASES = int(os.environ.get("YANXIU_FUZZ_CASES", "8"))
# The short run is the same each time; a long one explores, and hypothesis prints how to repeat a failure.
REPEATABLE = "YANXIU_FUZZ_CASES" not in os.environ
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
# Sixty systematic requests for each operation are `test_fuzz`'s, which knows that they must be refused; here only a long
# run sends them too.
schema.config.phases.coverage.enabled = not REPEATABLE

COUNTY = "CN/440000/440100/440104"
# Values that exist, put in place of invented ones in three of four requests; the rest is added by `seed`.
KNOWN: dict[str, Any] = {"code": "440104", "division_code": "440104", "division": "440104", "place": COUNTY}
PEOPLE: list[tuple[Any, ...]] = []
TURNS = itertools.count()


def seed() -> None:
    """Divisions, the sample season, a school, and three people: operator, school admin, teacher."""
    signer = ActorSigner("cli", KEYRING.signing_key("actor.cli"))

    def tell(service: str, method: str, arguments: dict[str, Any]) -> Any:
        token = signer.sign(service_actor("cli"), service)
        options = {"command_id": str(new_id()), "timeout": 60.0}
        return BUS.client.call(service, method, arguments, actor_token=token, **options)

    tell("org", "import_divisions", {})
    season = read_yaml(Path(catalog.__file__).parent / "seasons" / "2023-winter.yaml").content
    KNOWN["programme_id"] = tell("catalog", "publish_programme", season)["programme_id"]
    invented = [invent(1, number) for number in range(3)]
    rows = [
        {"row": 1 + number, **dataclasses.asdict(person), "segment": "小学", "subject": "语文"}
        for number, person in enumerate(invented)
    ]
    accounts = [uuid.UUID(row["account_id"]) for row in tell("identity", "import_people", {"rows": rows})["rows"]]
    PEOPLE[:] = [
        (accounts[0], (Role.NATIONAL_OPERATOR, "CN"), (Role.COUNTY_ADMIN, COUNTY)),
        (accounts[1],),
        (accounts[2],),
    ]
    new_school = {
        "division_code": "440104",
        "name": "小学",
        "school_type": "PRIMARY",
        "seal_name": "小学",
        "town": "镇",
    }
    new_school |= {"nature": "PUBLIC", "head_name": "王校长", "head_mobile": "13800000000"}
    made = APP.test_client().post("/api/v1/schools", json=new_school, headers=Tokens(KEYRING).headers(*PEOPLE[0]))
    assert made.status_code == 201, made.text
    KNOWN["school_id"] = made.json["school_id"]
    PEOPLE[1] = (accounts[1], (Role.SCHOOL_ADMIN, made.json["place"]))
    KNOWN["teacher_id"] = KNOWN["account_id"] = str(accounts[2])
    joined = APP.test_client().post(
        "/api/v1/memberships", json={"school_id": KNOWN["school_id"]}, headers=Tokens(KEYRING).headers(*PEOPLE[2])
    )
    assert joined.status_code < 300, joined.text


@pytest.fixture(scope="module", autouse=True)
def services(postgres_url: str) -> Iterator[None]:
    KEYRING.generate_missing()
    with_database: Settings = dataclasses.replace(SETTINGS, database_url=postgres_url, pool_size=2)
    for service in SERVICES:
        migrations.migrate_service(with_database, KEYRING, service)
    BUS.client = LocalClient(with_database, KEYRING, processes.load_class)
    seed()
    yield
    APP.extensions["yanxiu"].revocations.stop()
    BUS.client.close()
    migrations.drop_all(with_database)
    FOLDER.cleanup()


def with_known(value: Any) -> Any:
    """`value` with the ids of things that exist."""
    if not isinstance(value, dict):
        return value
    return {key: KNOWN.get(key, with_known(inner)) for key, inner in value.items()}


@pytest.mark.slow
@pytest.mark.postgres
@schema.parametrize()
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=REPEATABLE)
def test_no_request_breaks_a_service(case: schemathesis.Case) -> None:
    turn = next(TURNS)
    if turn % 4:
        case.path_parameters = with_known(case.path_parameters)
        case.query = with_known(case.query)
        case.body = with_known(case.body)
    headers = {**(case.headers or {}), **Tokens(KEYRING).headers(*PEOPLE[turn % 3])}
    # One key belongs to one body; repeated ones are tested elsewhere.
    headers.pop("Idempotency-Key", None)
    case.call_and_validate(checks=CHECKS, headers=headers)
