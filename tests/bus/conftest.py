"""Fixtures of the bus tests: a real RabbitMQ in a private virtual host, and services in processes of their own.

Without AMQP_URI these tests skip (`tests/conftest.py`); with YANXIU_REQUIRE_SERVERS=1 they fail instead, so that no
pipeline passes on tests that never ran.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.shared.database import Database
from services.shared.keys import KeyRing
from services.shared.migrations import drop_all
from services.shared.settings import Settings
from tests.bus import database
from tests.bus.broker import Broker, private_vhost
from tests.bus.database import Effects
from tests.bus.fault_link import FaultLink
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand


def server_uri() -> str:
    if uri := os.environ.get("AMQP_URI", ""):
        return uri
    pytest.fail("AMQP_URI is not set")


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with private_vhost(server_uri()) as (uri, vhost):
        yield Broker(uri, vhost)


@pytest.fixture
def administered(broker: Broker) -> Broker:
    """The broker, where this machine may close its connections and delete its virtual host."""
    if broker.vhost:
        return broker
    if os.environ.get("YANXIU_REQUIRE_SERVERS") == "1":
        pytest.fail("rabbitmqctl does not work here, and YANXIU_REQUIRE_SERVERS=1 forbids skipping")
    pytest.skip("needs rabbitmqctl")


@pytest.fixture
def name() -> str:
    """A service name that no other test uses: its queues are then this test's own."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def start(broker: Broker, name: str, journal: Journal, tmp_path: Path) -> Iterator[Launcher]:
    """`start("stock/events.py", **environment)`: that script, with this test's broker, service name and journal."""
    environment = {"AMQP_URI": broker.uri, "SERVICE": name, "JOURNAL": str(journal.path)}
    launcher = Launcher(tmp_path, environment)
    yield launcher
    launcher.close()


@pytest.fixture
def database_link(bus_settings: Settings) -> Iterator[FaultLink]:
    """A road to PostgreSQL that the test can cut or freeze."""
    made = FaultLink(bus_settings.database_url)
    yield made
    made.close()


@pytest.fixture
def link(broker: Broker) -> Iterator[FaultLink]:
    """A road to the broker that the test can cut or freeze."""
    made = FaultLink(broker.uri)
    yield made
    made.close()


@pytest.fixture(scope="session")
def bus_settings(settings: Settings, keyring: KeyRing) -> Iterator[Settings]:
    """Settings under which the bus tests' own database exists."""
    keyring.generate_missing()
    for purpose in (f"database.{database.OWNER}", f"actor.{database.OWNER}"):
        keyring.secret(purpose)
    database.create(settings, keyring)
    yield settings
    drop_all(settings, (database.OWNER,))


@pytest.fixture(scope="session")
def effects(bus_settings: Settings, keyring: KeyRing) -> Iterator[Effects]:
    opened = Database(database.OWNER, bus_settings, keyring)
    yield Effects(opened)
    opened.dispose()


@pytest.fixture
def start_ours(bus_settings: Settings, name: str, journal: Journal, tmp_path: Path) -> Iterator[Launcher]:
    """As `start`, for scripts that run on our bus: with a database and keys too."""
    launcher = Launcher(
        tmp_path,
        {
            "AMQP_URI": os.environ.get("AMQP_URI", "amqp://nowhere"),
            "DATABASE_URL": bus_settings.database_url,
            "YANXIU_DATA_DIR": str(bus_settings.data_dir),
            "YANXIU_DATABASE_PREFIX": bus_settings.database_prefix,
            "SERVICE": name,
            "JOURNAL": str(journal.path),
        },
    )
    yield launcher
    launcher.close()


@pytest.fixture
def stand(
    broker: Broker, effects: Effects, journal: Journal, start_ours: Launcher, bus_settings: Settings, keyring: KeyRing
) -> Iterator[Stand]:
    made = Stand(broker, effects, journal, start_ours, bus_settings, keyring)
    yield made
    start_ours.close()  # first: a living service would declare its queues again
    made.close()
