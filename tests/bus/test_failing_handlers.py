"""N5, N6: a handler that raises. The event must neither be lost nor retried in a hot loop."""

from __future__ import annotations

import time

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher

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
