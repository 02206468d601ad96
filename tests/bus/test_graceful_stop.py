"""N1: SIGTERM while a handler runs. Work that was done must not come back."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_leaves_finished_work_in_the_queue(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    queue = f"evt-{name}_source-done--{name}.on_done"
    service = start("stock/events.py")
    broker.wait_for_consumer(queue)
    broker.publish({"id": "a", "seconds": 3}, "done", f"{name}_source.events")
    journal.wait_for("begun", "a")

    service.terminate()
    assert service.wait() == 0
    assert journal.count("done", "a") == 1
    assert broker.depth(queue) == 1, (
        "done, yet back in the queue: the acknowledgement was skipped, the next start repeats it"
    )


def test_our_bus_acknowledges_before_it_closes(stand: Stand) -> None:
    service = stand.start()
    stand.publish_event(stand.done, {"item": "a", "seconds": 3})
    stand.journal.wait_for("begun", "a")

    service.terminate()
    assert service.wait() == 0
    assert stand.applied("a") == 1
    assert stand.broker.depth(stand.events_queue) == 0
