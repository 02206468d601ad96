"""Runs the scenarios beside a probe service in one process, and prints a JSON object {scenario: "" or its traceback}.

`bus_host.py run`: all scenarios. `bus_host.py leave` and `bus_host.py find`: two processes, to see what outlives one.
"""

# ruff: noqa: E402  the patching has to come between the imports
from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import eventlet

eventlet.monkey_patch()

import json
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from services.shared.actor import ANONYMOUS, ActorSigner
from services.shared.bus import topology
from services.shared.bus.client import ClientPool
from services.shared.bus.link import Link, encode
from services.shared.bus.publisher import ConfirmedPublisher
from services.shared.bus.run import ServiceRunner
from services.shared.keys import KeyRing
from services.shared.settings import Settings, load_settings
from services.shared.startup import configure_process
from tests.contract import bus_scenarios
from tests.probe import contract
from tests.probe.service import ProbeService, total


class Stage:
    """What the scenarios act with."""

    def __init__(self, settings: Settings, keyring: KeyRing, runner: ServiceRunner) -> None:
        self._settings = settings
        self._signer = ActorSigner("gateway", keyring.signing_key("actor.gateway"))
        self._pool = ClientPool(settings, "contract")
        self._publisher = ConfirmedPublisher(settings, "contract")
        self._database = runner.processes[contract.SERVICE].host.database

    def call(
        self,
        method: str,
        arguments: dict[str, Any],
        *,
        service: str = contract.SERVICE,
        actor_token: str = "",
        command_id: str | None = None,
        timeout: float = 10,
    ) -> Any:
        token = actor_token or self._signer.sign(ANONYMOUS, service)
        return self._pool.call(service, method, arguments, actor_token=token, command_id=command_id, timeout=timeout)

    def send_request(self, method: str, arguments: dict[str, Any], deadline: float, command_id: str) -> None:
        token = self._signer.sign(ANONYMOUS, contract.SERVICE)
        headers = {"actor": token, "deadline": str(deadline), "command_id": command_id}
        body = encode({"method": method, "arguments": arguments})
        self.send_raw("", topology.rpc_queue(contract.SERVICE), body, headers=headers, reply_to="nobody")

    def send_raw(self, exchange: str, routing_key: str, body: bytes, **properties: Any) -> None:
        link = Link(self._settings.amqp_uri, "contract")
        try:
            link.publish(exchange, routing_key, body, persistent=True, **properties)
            # A question on the same channel: its answer shows that the broker has read what was sent before. A connection
            # that just closes may take unread bytes with it.
            link.channel.basic_qos(0, 1, False)
        finally:
            link.close()

    def publish_confirmed(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str) -> None:
        self._publisher.publish(exchange, routing_key, body, message_id, 10)

    def depth(self, queue: str) -> int:
        link = Link(self._settings.amqp_uri, "contract")
        try:
            return int(link.channel.queue_declare(queue, passive=True).message_count)
        finally:
            link.close()

    def total(self, table: str, name: str) -> int:
        with self._database.work() as db:
            return total(db, table, name)

    @staticmethod
    def in_parallel(function: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        return list(eventlet.GreenPool(8).imap(function, items))

    @staticmethod
    def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.05)

    def close(self) -> None:
        self._pool.close()
        self._publisher.close()


def outcome(scenario: bus_scenarios.Scenario, stage: Stage) -> str:
    try:
        scenario(stage)
    except Exception:  # noqa: BLE001  the test shows it
        return traceback.format_exc()
    return ""


def run(settings: Settings, keyring: KeyRing, plan: topology.Topology) -> dict[str, str]:
    runner = ServiceRunner([ProbeService], settings, keyring, plan)
    runner.start()
    stage = Stage(settings, keyring, runner)
    stage.wait(runner.is_ready)
    scenarios = {**bus_scenarios.COMMON, **bus_scenarios.ONLY_RABBITMQ}
    outcomes = {name: outcome(scenario, stage) for name, scenario in scenarios.items()}
    stage.close()
    outcomes["a_stop_is_clean"] = "" if runner.stop(10) else "work was cut off"
    return outcomes


def leave(settings: Settings, plan: topology.Topology) -> dict[str, str]:
    """Put an event into its queue while nobody consumes, and go."""
    link = Link(settings.amqp_uri, "contract")
    topology.declare(link, plan)
    body = encode(bus_scenarios.event(f"left-{uuid.uuid4().hex}"))
    link.publish("", topology.events_queue(contract.SERVICE), body, persistent=True)
    return find(settings, plan)


def find(settings: Settings, plan: topology.Topology) -> dict[str, str]:
    link = Link(settings.amqp_uri, "contract")
    topology.declare(link, plan)
    time.sleep(0.3)  # an unconfirmed message takes a moment
    declared = link.channel.queue_declare(topology.events_queue(contract.SERVICE), passive=True)
    return {"depth": str(declared.message_count)}


def main(phase: str) -> None:
    settings = load_settings()
    configure_process(settings, contract.SERVICE)
    plan = topology.plan([ProbeService], contract.EVENTS, settings.study_shards)
    if phase == "run":
        result = run(settings, KeyRing(settings.keys_dir), plan)
    else:
        result = (leave if phase == "leave" else find)(settings, plan)
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
