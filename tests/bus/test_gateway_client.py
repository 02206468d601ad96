"""N20: the client that a threaded gateway holds for its whole life."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.bus.broker import Broker, wait_until
from tests.bus.fault_link import FaultLink
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

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


def test_our_client_drops_late_replies(stand: Stand) -> None:
    stand.start()
    pool = stand.pool()
    for number in range(5):
        with pytest.raises(Unavailable, match=r"shared\.deadline"):
            stand.call("work", {"item": f"late{number}", "seconds": 0.5}, timeout=0.2, pool=pool)
    time.sleep(1)  # now the late replies wait on its connection
    assert stand.call("work", {"item": "sixth"}, pool=pool)["item"] == "sixth"
    assert stand.call("work", {"item": "seventh"}, pool=pool)["item"] == "seventh"
    assert pool._idle.qsize() == 1, "one caller at a time, one connection"


def test_our_client_works_again_after_an_outage(stand: Stand, link: FaultLink) -> None:
    stand.start()
    pool = stand.pool(link.uri)
    assert stand.call("work", {"item": "before"}, pool=pool)["item"] == "before"
    link.refuse()
    with pytest.raises(Unavailable, match=r"shared\.broker_unavailable"):
        stand.call("work", {"item": "during"}, pool=pool)
    link.restore()
    assert stand.call("work", {"item": "after"}, pool=pool)["item"] == "after"


def test_our_client_tries_once_more_when_its_connection_breaks(stand: Stand, link: FaultLink) -> None:
    stand.start()
    pool = stand.pool(link.uri)
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(stand.call, "record", {"item": "a", "seconds": 0.5}, command_id=str(new_id()), pool=pool)
        stand.journal.wait_for("done", "a")
        link.drop()
        assert reply.result() == {"item": "a"}
    assert stand.applied("a") == 1


def test_our_client_serves_many_threads(stand: Stand) -> None:
    stand.start()
    pool = stand.pool()
    items = [f"item{number}" for number in range(60)]
    with ThreadPoolExecutor(8) as threads:
        replies = threads.map(lambda item: stand.call("work", {"item": item}, pool=pool), items)
        assert [reply["item"] for reply in replies] == items


def test_our_client_is_bounded_by_its_deadline_when_the_broker_is_frozen(stand: Stand, link: FaultLink) -> None:
    stand.start()
    pool = stand.pool(link.uri)
    stand.call("work", {"item": "before"}, pool=pool)
    link.freeze()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        stand.call("work", {"item": "during"}, timeout=0.5, pool=pool)
    with pytest.raises(Unavailable):
        stand.call("work", {"item": "during"}, timeout=0.5, pool=stand.pool(link.uri))
    assert time.monotonic() - begun < 3, "a new connection has the same deadline"
    link.thaw()
