"""The real bus of the gateway, over both transports: broadcasts reach every process, publications arrive, checks tell."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.bus import RealBus
from services.shared import clock
from services.shared.bus import topology
from services.shared.bus.calls import Event
from services.shared.bus.link import Link, encode
from services.shared.errors import Unavailable
from services.shared.ids import new_id
from services.shared.settings import Settings
from tests.bus.broker import private_vhost

REVOKED = "identity.access_revoked"


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def connected(request: pytest.FixtureRequest, gateway_settings: Settings) -> Iterator[Settings]:
    """Settings of a broker that holds the topology and nothing else."""
    if request.param == "memory":
        yield declare(gateway_settings)
        return
    with private_vhost(os.environ.get("AMQP_URI", "amqp://127.0.0.1")) as (uri, _):
        yield declare(dataclasses.replace(gateway_settings, amqp_uri=uri))


def declare(settings: Settings) -> Settings:
    link = Link(settings.amqp_uri, "test")
    topology.declare(link, topology.Topology((), {}, (topology.study_queue(0),), (REVOKED,)))
    link.close()
    return settings


class Listening:
    """`RealBus.listen` in a thread, as `Revocations` runs it."""

    def __init__(self, bus: RealBus) -> None:
        self.received: list[dict[str, Any]] = []
        self.arrived = threading.Semaphore(0)
        self._connected = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[bus], daemon=True)
        self._thread.start()
        assert self._connected.wait(10)

    def _run(self, bus: RealBus) -> None:
        with pytest.raises(InterruptedError):
            bus.listen(REVOKED, self._connected.set, self._take, self._idle)

    def _take(self, message: dict[str, Any]) -> None:
        self.received.append(message)
        self.arrived.release()

    def _idle(self) -> None:
        if self._stop.is_set():
            raise InterruptedError

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def announce(settings: Settings, payload: dict[str, Any]) -> None:
    """As the outbox relay sends it."""
    event = Event(new_id(), REVOKED, new_id(), clock.now(), payload)
    link = Link(settings.amqp_uri, "test")
    link.publish(topology.EVENTS, REVOKED, encode(event.to_wire()), persistent=True)
    link.close()


def test_a_broadcast_reaches_every_process(connected: Settings) -> None:
    listeners = [Listening(RealBus(connected)) for _ in range(2)]
    announce(connected, {"account_id": "1"})
    announce(connected, {"account_id": "2"})
    for listener in listeners:
        assert listener.arrived.acquire(timeout=5)
        assert listener.arrived.acquire(timeout=5)
        listener.stop()
        assert [message["account_id"] for message in listener.received] == ["1", "2"]


def test_a_published_report_is_in_its_queue(connected: Settings) -> None:
    RealBus(connected).publish(topology.STUDY, "0", {"seq": 1}, str(new_id()), 5.0)
    link, bodies = Link(connected.amqp_uri, "test"), []
    link.consume([topology.study_queue(0)], lambda message: bodies.append(message.body), no_ack=True)
    while not bodies:
        assert link.drain(5)
    link.close()
    assert b'"seq":1' in (bodies[0] if isinstance(bodies[0], bytes) else bodies[0].encode())


def test_a_reachable_broker_is_ready(connected: Settings) -> None:
    RealBus(connected).check()


def test_without_a_broker_everything_is_unavailable(gateway_settings: Settings) -> None:
    bus = RealBus(dataclasses.replace(gateway_settings, amqp_uri="amqp://127.0.0.1:1"))
    with pytest.raises(Unavailable):
        bus.check()
    with pytest.raises(Unavailable):
        bus.call("org", "get_school", {}, actor_token="", command_id=None, timeout=2.0, call_id="")
    with pytest.raises(Unavailable):
        bus.publish(topology.STUDY, "0", {}, str(new_id()), 2.0)


def test_what_threads_need_is_imported_before_there_are_any() -> None:
    """Two threads that imported kombu first, at once, got a module without its names: /ready answered 500."""
    code = (
        "import sys; from gateway.bus import RealBus; from services.shared.settings import load_settings;"
        "RealBus(load_settings({})); sys.exit('kombu' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
