"""N9: work that blocks the event loop for longer than two heartbeats."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker, wait_until
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_does_blocking_work_again(broker: Broker, name: str, start: Launcher, journal: Journal) -> None:
    service = start("stock/events.py", HEARTBEAT=1)
    broker.wait_for_consumer(f"evt-{name}_source-done--{name}.on_done")
    broker.publish({"id": "a", "blocked_seconds": 4.5}, "done", f"{name}_source.events")
    journal.wait_for("done", "a")
    # The broker has hung up meanwhile. Either the late acknowledgement kills the process, or it is skipped; both ways
    # the message is back in the queue, and the next run of the same length ends the same way.
    wait_until(lambda: journal.count("begun", "a") > 1 or not service.running, "a repetition or an exit")
    if not service.running:
        start("stock/events.py", HEARTBEAT=1)
    journal.wait_for("begun", "a", count=2)


def test_our_bus_applies_blocking_work_once(stand: Stand) -> None:
    service = stand.start(HEARTBEAT=1)
    stand.publish_event(stand.done, {"item": "a", "blocked_seconds": 4.5})
    service.wait_for_log("hub_blocked")
    stand.publish_event(stand.done, {"item": "b"})
    stand.journal.wait_for("done", "b")
    stand.broker.wait_for_depth(stand.events_queue, 0)
    assert stand.applied("a") == 1, "it came again, and the inbox knew it"


def test_our_bus_keeps_its_connection_during_offloaded_work(stand: Stand) -> None:
    service = stand.start(HEARTBEAT=1)
    stand.publish_event(stand.done, {"item": "a", "offloaded_seconds": 4.5})
    stand.journal.wait_for("done", "a")
    assert "listener_lost" not in service.log
    assert "hub_blocked" not in service.log
