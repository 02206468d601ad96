"""One contract, two transports: what services may rely on holds in memory and on RabbitMQ alike.

What only RabbitMQ gives is listed by `ONLY_RABBITMQ` and by the last tests here: mandatory publishing, an alternate
exchange, dead-lettering, and messages that outlive a process. Confirms and durability against a broker's own death cannot
be shown inside one process; `tests/bus` shows them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.shared import migrations
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from tests.bus.broker import private_vhost
from tests.contract import bus_scenarios
from tests.probe import contract

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[2]
MEMORY = "memory://"

Host = Callable[[str, str], dict[str, str]]
TRANSPORTS = [pytest.param(MEMORY, id="memory"), pytest.param("rabbitmq", id="rabbitmq", marks=pytest.mark.rabbitmq)]


@pytest.fixture(scope="module")
def rabbitmq_uri() -> Iterator[str]:
    with private_vhost(os.environ["AMQP_URI"]) as (uri, _):
        yield uri


@pytest.fixture(scope="module")
def host(settings: Settings, keyring: KeyRing, request: pytest.FixtureRequest) -> Iterator[Host]:
    """`host(transport, phase)`: what one run of `bus_host.py` printed."""
    keyring.generate_missing()
    keyring.secret(f"database.{contract.SERVICE}")
    prefixes = []

    def run(transport: str, phase: str) -> dict[str, str]:
        # A database of its own for each transport: relays would empty each other's outbox.
        prefix = f"{settings.database_prefix}_{'memory' if transport == MEMORY else 'rabbitmq'}"
        own = dataclasses.replace(settings, database_prefix=prefix)
        prefixes.append(own)
        migrations.migrate_service(own, keyring, contract.SERVICE, ROOT / "tests" / "probe")
        uri = MEMORY if transport == MEMORY else request.getfixturevalue("rabbitmq_uri")
        return _run(own, uri, phase)

    yield run
    for own in prefixes:
        migrations.drop_all(own, (contract.SERVICE,))


def _run(settings: Settings, uri: str, phase: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.bus_host", phase],
        cwd=ROOT,
        env={
            **os.environ,
            "AMQP_URI": uri,
            "DATABASE_URL": settings.database_url,
            "YANXIU_DATA_DIR": str(settings.data_dir),
            "YANXIU_DATABASE_PREFIX": settings.database_prefix,
            "PYTHONWARNINGS": "ignore",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    printed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return printed


@pytest.fixture(scope="module")
def outcomes(host: Host) -> Callable[[str], dict[str, str]]:
    known: dict[str, dict[str, str]] = {}

    def get(transport: str) -> dict[str, str]:
        if transport not in known:
            known[transport] = host(transport, "run")
        return known[transport]

    return get


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", [*bus_scenarios.COMMON, "a_stop_is_clean"])
def test_both_transports_promise(outcomes: Callable[[str], dict[str, str]], scenario: str, transport: str) -> None:
    assert not outcomes(transport)[scenario]


@pytest.mark.rabbitmq
@pytest.mark.parametrize("scenario", bus_scenarios.ONLY_RABBITMQ)
def test_only_rabbitmq_promises(outcomes: Callable[[str], dict[str, str]], scenario: str) -> None:
    assert not outcomes("rabbitmq")[scenario]
    assert outcomes(MEMORY)[scenario], "memory keeps this promise too: move the scenario to the common ones"


@pytest.mark.rabbitmq
def test_only_rabbitmq_keeps_messages_between_processes(host: Host) -> None:
    assert host("rabbitmq", "leave") == host("rabbitmq", "find") == {"depth": "1"}
    assert host(MEMORY, "leave") == {"depth": "1"}
    assert host(MEMORY, "find") == {"depth": "0"}
