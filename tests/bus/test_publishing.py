"""N12: an event that no queue wants. N13: a broker that neither confirms nor refuses."""

from __future__ import annotations

import time

import pytest

from tests.bus.broker import Broker
from tests.bus.fault_link import FaultLink
from tests.bus.processes import Journal, Launcher

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_reports_success_for_an_event_that_goes_nowhere(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    broker.declare(f"other-{name}", f"{name}.events", "other")
    assert start("stock/publishing.py", "dispatch").wait() == 0
    assert journal.count("dispatched", "a") == 1
    queue = f"late-{name}"
    broker.declare(queue, f"{name}.events", "done")
    assert broker.depth(queue) == 0, "whoever subscribes now has missed it"


def test_stock_nameko_publishes_into_a_frozen_broker_as_long_as_it_is_frozen(
    name: str, start: Launcher, journal: Journal, link: FaultLink
) -> None:
    publisher = start("stock/publishing.py", "freeze", AMQP_URI=link.uri)
    journal.wait_for("connected")
    link.freeze()
    publisher.go_on()
    time.sleep(3)
    assert journal.count("published") == 0
    assert publisher.running, "no time-out of its own"
    link.thaw()
    journal.wait_for("published")
