"""Fixtures shared by all tests: a real PostgreSQL, services without a transport, an isolated key ring."""

from __future__ import annotations

import dataclasses
import os
import re
import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared import clock, migrations
from services.shared.actor import ANONYMOUS, Actor, Desk, Grant, Kind, Role, service_actor
from services.shared.bus import dispatch
from services.shared.bus.providers import Environment, instantiate
from services.shared.database import Database
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.settings import Settings, load_settings

# Whoever starts the run may name the prefix, to clean up after a run that was killed.
PREFIX = os.environ.get("YANXIU_DATABASE_PREFIX", "yanxiu")
REQUIRE_SERVERS = os.environ.get("YANXIU_REQUIRE_SERVERS") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `rabbitmq` need AMQP_URI; where servers are required a missing one fails instead of skipping."""
    if os.environ.get("AMQP_URI") or REQUIRE_SERVERS:
        return
    skip = pytest.mark.skip(reason="needs RabbitMQ: set AMQP_URI")
    for item in items:
        if item.get_closest_marker("rabbitmq"):
            item.add_marker(skip)


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Ids that are made anew in each process must not name a test: processes that share a run compare their lists."""
    return _ID.sub("ID", val) if isinstance(val, str) and _ID.search(val) else None


_ENGINES: weakref.WeakSet[sa.Engine] = weakref.WeakSet()


@sa.event.listens_for(sa.Engine, "engine_connect")
def _note_engine(connection: sa.Connection) -> None:
    _ENGINES.add(connection.engine)


@pytest.fixture(autouse=True, scope="module")
def _idle_connections_end_with_their_module() -> Iterator[None]:
    """A server takes a hundred connections; installations that live as long as the run would keep theirs for nothing."""
    yield
    for engine in list(_ENGINES):
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The administrator's URL of a PostgreSQL: the configured server, or a private one from the wheel."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    if REQUIRE_SERVERS:
        pytest.fail("YANXIU_REQUIRE_SERVERS=1 but DATABASE_URL is not set")
    from yanxiu.local import postgres

    folder = tmp_path_factory.mktemp("postgres")
    running = postgres.start(folder)
    yield running.admin_url
    running.stop()
    # As root the data may lie outside the temporary folder, where pytest does not clear them away.
    postgres.remove(folder)


@pytest.fixture(scope="session")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with a database prefix and a data folder of this run's own; the databases are removed at the end."""
    base = load_settings({})
    settings = dataclasses.replace(
        base,
        database_url=postgres_url,
        data_dir=tmp_path_factory.mktemp("data"),
        database_prefix=f"{PREFIX}_test_{uuid.uuid4().hex[:8]}",
        pool_size=10,
    )
    yield settings
    migrations.drop_all(settings)


@pytest.fixture(scope="session")
def keyring(settings: Settings) -> KeyRing:
    return KeyRing(settings.keys_dir, generate=True)


@pytest.fixture(scope="session")
def service_database(settings: Settings, keyring: KeyRing) -> Iterator[Callable[[str], Database]]:
    """`service_database("org")`: that service's migrated database, made once per run. Use ids of your own in each test."""
    made: dict[str, Database] = {}

    def get(service: str) -> Database:
        if service not in made:
            migrations.migrate_service(settings, keyring, service)
            made[service] = Database(service, settings, keyring)
        return made[service]

    yield get
    for database in made.values():
        database.dispose()


class Component:
    """One service over its real database, without a transport: what the bus would do, called directly."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.database: Database = service.database

    def call(
        self,
        method: str,
        arguments: dict[str, Any] | None = None,
        actor: Actor = ANONYMOUS,
        command_id: str | None = None,
    ) -> Any:
        """The reply; raises the ServiceError of a refusal. A command gets a fresh command id unless one is given."""
        return dispatch.run_method(
            self.service, method, arguments or {}, actor, command_id=command_id or str(new_id()), call_id="test"
        )

    def deliver(self, method: str, event_type: str, payload: dict[str, Any], event_id: uuid.UUID | None = None) -> None:
        """Deliver one event to an event handler, as the bus would; raises what the handler raises."""
        dispatch.apply_event(self.database, self.service, method, _event(event_type, payload, event_id))

    def deliver_batch(self, method: str, bodies: list[Any], *, events: bool) -> None:
        """Deliver a batch: `(event_type, payload)` or `(event_type, payload, event_id)` tuples, or plain stream bodies."""
        if events:
            wires = [_event(body[0], body[1], body[2] if len(body) > 2 else None) for body in bodies]
            messages = [dispatch.Message(str(event.id), event.to_wire()) for event in wires]
        else:
            messages = [dispatch.Message(str(new_id()), body) for body in bodies]
        dispatch.apply_batch(self.database, self.service, method, messages, events=events)

    def outbox(self, event_type: str) -> list[dict[str, Any]]:
        """Payloads announced so far, oldest first."""
        from services.shared.tables import outbox

        with self.database.work() as db:
            rows = db.execute(outbox.select().where(outbox.c.type == event_type).order_by(outbox.c.position))
            return [row.payload for row in rows]


def _event(event_type: str, payload: dict[str, Any], event_id: uuid.UUID | None) -> dispatch.Event:
    return dispatch.Event(event_id or new_id(), event_type, new_id(), clock.now(), payload)


@pytest.fixture
def component(
    settings: Settings, keyring: KeyRing, service_database: Callable[[str], Database]
) -> Iterator[Callable[..., Component]]:
    """`component(OrgService, bus=FakeClient())`: the service over its database; `bus` answers what it asks of others."""
    made: list[Component] = []

    def build(service_class: Any, bus: Any = None) -> Component:
        service_database(service_class.name.split("-", 1)[0])
        made.append(Component(instantiate(service_class, Environment(settings, keyring, lambda: bus))))
        return made[-1]

    yield build
    for component in made:
        component.database.dispose()


class FixedClock:
    """A clock that tests move."""

    def __init__(self, instant: Any) -> None:
        self.instant = instant

    def now(self) -> Any:
        return self.instant


@pytest.fixture
def fixed_clock() -> Iterator[FixedClock]:
    """The business clock, stopped at 2023-01-10 10:00 in Beijing; set `.instant` to move it."""
    fixed = FixedClock(clock.parse_instant("2023-01-10T10:00:00+08:00"))
    clock.install(fixed)
    yield fixed
    clock.install(clock.SystemClock())


def person(account_id: uuid.UUID | None = None, *grants: tuple[Role, str]) -> Actor:
    """A signed-in teacher with the given grants."""
    return Actor(
        kind=Kind.PERSON,
        account_id=account_id or new_id(),
        identity="TEACHER",
        grants=tuple(Grant(role, place) for role, place in grants),
        session_id=new_id(),
        address="127.0.0.1",
        desk=Desk.ADMINISTRATOR if grants else Desk.TEACHER,
    )


@pytest.fixture
def a_person() -> Callable[..., Actor]:
    return person


@pytest.fixture
def a_service() -> Callable[[str], Actor]:
    return service_actor
