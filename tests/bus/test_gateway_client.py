"""N20: the client that a threaded gateway holds for its whole life."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker, wait_until
from tests.bus.fault_link import FaultLink
from tests.bus.processes import Journal, Launcher

pytestmark = pytest.mark.rabbitmq


def test_stock_proxy_keeps_late_replies_for_ever(broker: Broker, name: str, start: Launcher, journal: Journal) -> None:
    start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    assert start("stock/asking.py", "late").wait() == 0
    journal.wait_for("kept", "5")


def test_stock_proxy_is_dead_after_a_short_outage(
    broker: Broker, name: str, start: Launcher, journal: Journal, link: FaultLink
) -> None:
    start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    caller = start("stock/asking.py", "outage", AMQP_URI=link.uri)
    journal.wait_for("done", "during")
    link.refuse()
    wait_until(lambda: any(word != "done" and item == "during" for word, item, _ in journal.lines()), "an error")
    link.restore()
    caller.go_on()
    caller.wait()
    assert journal.count("answered", "during") == 0, "the work was done, the answer lost"
    assert journal.count("answered", "after") == 0, "the broker is back, the proxy is not"
