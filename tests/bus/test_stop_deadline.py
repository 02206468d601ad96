"""N19: SIGTERM while a handler takes for ever."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher

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
