"""N5, N6: a handler that raises. The event must neither be lost nor retried in a hot loop."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.bus.broker import Broker, wait_until
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_loses_every_event_whose_handler_fails(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    queue = f"evt-{name}_source-done--{name}.on_done"
    service = start("stock/events.py")
    broker.wait_for_consumer(queue)
    for item in range(5):
        broker.publish({"id": item, "fails": True}, "done", f"{name}_source.events")
    journal.wait_for("begun", count=5)

    service.terminate()  # whatever was not acknowledged would be back in the queue now
    service.wait()
    assert journal.count("done") == 0
    assert broker.depth(queue) == 0


def test_stock_nameko_retries_in_a_hot_loop(broker: Broker, name: str, start: Launcher, journal: Journal) -> None:
    service = start("stock/events.py", REQUEUE=1)
    broker.wait_for_consumer(f"evt-{name}_source-done--{name}.on_done")
    broker.publish({"id": "a", "fails": True}, "done", f"{name}_source.events")
    journal.wait_for("begun", "a")
    time.sleep(1)
    service.kill()
    assert journal.count("begun", "a") > 50, "tens of attempts in a second"


def test_our_bus_parks_failing_events_and_retries_them(stand: Stand, tmp_path: Path) -> None:
    repaired = tmp_path / "repaired"
    stand.start()
    for item in range(5):
        stand.publish_event(stand.done, {"item": f"bad{item}", "fails_until": str(repaired)})
        stand.publish_event(stand.done, {"item": f"good{item}"})
    wait_until(lambda: len(stand.parked()) == 5, "five parked events")
    stand.journal.wait_for("done", "good4")
    assert [stand.applied(f"good{item}") for item in range(5)] == [1] * 5
    assert [stand.applied(f"bad{item}") for item in range(5)] == [0] * 5, "what the handler wrote is rolled back"

    repaired.touch()
    wait_until(lambda: not stand.parked(), "the sweeper to succeed")
    assert [stand.applied(f"bad{item}") for item in range(5)] == [1] * 5
    assert stand.broker.depth(stand.events_queue) == 0


def test_our_bus_pauses_between_attempts(stand: Stand) -> None:
    stand.start()
    stand.publish_event(stand.done, {"item": "a", "fails_until": "/nowhere"})
    stand.journal.wait_for("begun", "a")
    time.sleep(1)
    assert stand.journal.count("begun", "a") <= 3
