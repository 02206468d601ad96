"""N19: SIGTERM while a handler takes for ever."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_never_stops_while_a_handler_runs(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    service = start("stock/events.py")
    broker.wait_for_consumer(f"evt-{name}_source-done--{name}.on_done")
    broker.publish({"id": "a", "seconds": 600}, "done", f"{name}_source.events")
    journal.wait_for("begun", "a")
    service.terminate()
    with pytest.raises(AssertionError, match="still running"):
        service.wait(timeout=4)


def test_our_bus_stops_within_its_budget_and_gives_the_work_back(stand: Stand) -> None:
    service = stand.start(STOP_SECONDS=2)
    stand.publish_event(stand.done, {"item": "a", "seconds": 600})
    stand.journal.wait_for("begun", "a")
    service.terminate()
    assert service.wait(timeout=10) == 1, "the supervisor sees that work was cut off"
    stand.broker.wait_for_depth(stand.events_queue, 1)
    assert stand.applied("a") == 0
