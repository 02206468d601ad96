"""One service on our bus, its broker, its database and its callers: everything that a test of our bus needs."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from typing import Any

from marshmallow import INCLUDE, Schema

from services.shared import clock, outbox
from services.shared.actor import ANONYMOUS, ActorSigner
from services.shared.bus import topology
from services.shared.bus.client import ClientPool
from services.shared.bus.publisher import ConfirmedPublisher
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from tests.bus.broker import Broker, wait_until
from tests.bus.database import Effects
from tests.bus.processes import Journal, Launcher, Process


class AnyPayload(Schema):
    class Meta:
        unknown = INCLUDE


class Stand:
    """`name` is the process type's name; its queues, event types and journal belong to one test alone."""

    def __init__(
        self,
        broker: Broker,
        effects: Effects,
        journal: Journal,
        launcher: Launcher,
        settings: Settings,
        keyring: KeyRing,
    ) -> None:
        self.broker = broker
        self.effects = effects
        self.journal = journal
        self._launcher = launcher
        self._settings = settings
        self._signer = ActorSigner("gateway", keyring.signing_key("actor.gateway"))
        self.short = short = launcher.environment["SERVICE"]
        self.name = f"bustest-{short}"
        self.done, self.counted = f"bustest.done_{short}", f"bustest.counted_{short}"
        self.rpc_queue = topology.rpc_queue(self.name)
        self.events_queue = topology.events_queue(self.name)
        self.batch_queue = topology.batch_queue(self.name, "record_counted")
        self._pools: list[ClientPool] = []
        self._publishers: list[ConfirmedPublisher] = []
        outbox.register({self.done: AnyPayload, self.counted: AnyPayload})

    def start(self, **environment: Any) -> Process:
        """Start one more process of the service, and wait until it consumes."""
        ready = self.journal.count("ready")
        process = self.launch(**environment)
        self.journal.wait_for("ready", count=ready + 1)
        return process

    def launch(self, **environment: Any) -> Process:
        """As `start`, for a process that will not live until it is ready."""
        return self._launcher("ours/service.py", **{"AMQP_URI": self.broker.uri, **environment})

    def pool(self, uri: str = "") -> ClientPool:
        """A client such as a gateway process holds."""
        self._pools.append(ClientPool(self._reaching(uri), "test"))
        return self._pools[-1]

    def publisher(self, uri: str = "") -> ConfirmedPublisher:
        """The publishing thread that a gateway process holds."""
        self._publishers.append(ConfirmedPublisher(self._reaching(uri), "test"))
        return self._publishers[-1]

    def _reaching(self, uri: str) -> Settings:
        return dataclasses.replace(self._settings, amqp_uri=uri or self.broker.uri)

    def call(
        self,
        method: str,
        arguments: dict[str, Any],
        *,
        command_id: str | None = None,
        timeout: float = 10,
        pool: ClientPool | None = None,
    ) -> Any:
        """Ask as the gateway would, for a visitor."""
        pool = pool or (self._pools[0] if self._pools else self.pool())
        return pool.call(
            self.name,
            method,
            arguments,
            actor_token=self._signer.sign(ANONYMOUS, self.name),
            command_id=command_id,
            timeout=timeout,
        )

    def headers(self, **changed: Any) -> dict[str, Any]:
        """The headers of an honest request, and what the test changes of them."""
        token = self._signer.sign(ANONYMOUS, self.name)
        return {"actor": token, "deadline": f"{time.time() + 10:.3f}", "call_id": "test", **changed}

    def raw_call(self, method: str, arguments: dict[str, Any], **headers: Any) -> dict[str, Any]:
        """The bare reply to a request with changed headers."""
        reply_to = f"reply-{uuid.uuid4().hex}"
        self.broker.declare(reply_to)
        request = {"method": method, "arguments": arguments}
        self.broker.publish(request, self.rpc_queue, headers=self.headers(**headers), reply_to=reply_to)
        message = wait_until(lambda: self.broker.take(reply_to), "a reply")
        reply: dict[str, Any] = json.loads(message.body)
        return reply

    def announce(self, event_type: str, *payloads: dict[str, Any]) -> None:
        """Commit events to the outbox, for the service's relay to carry."""
        with self.effects.database.work() as db:
            outbox.announce_many(db, event_type, [(new_id(), payload) for payload in payloads])

    def event(self, event_type: str, payload: dict[str, Any], event_id: uuid.UUID | None = None) -> dict[str, Any]:
        """An event as it travels."""
        return {
            "id": str(event_id or new_id()),
            "type": event_type,
            "aggregate_id": str(new_id()),
            "occurred_at": clock.format_instant(clock.now()),
            "payload": payload,
        }

    def publish_event(self, event_type: str, payload: dict[str, Any], event_id: uuid.UUID | None = None) -> None:
        """Publish past the outbox, as a relay of another service would."""
        self.broker.publish(self.event(event_type, payload, event_id), event_type, topology.EVENTS)

    def applied(self, item: str) -> int:
        """How often the service committed the effect of `item`."""
        return self.effects.count(self.short, item)

    def parked(self, method: str = "on_done") -> list[Any]:
        return self.effects.parked(f"{self.name}.{method}")

    def close(self) -> None:
        for open_ in (*self._pools, *self._publishers):
            open_.close()
        # Each is a Raft group in the broker: hundreds of them, left by all tests together, would slow it down.
        for queue in (self.rpc_queue, self.events_queue, self.batch_queue):
            self.broker.remove(queue)
            self.broker.remove(topology.dead_queue(queue))
