"""N12: an event that no queue wants. N13: a broker that neither confirms nor refuses."""

from __future__ import annotations

import time

import pytest

from services.shared import outbox
from services.shared.bus import topology
from services.shared.errors import Unavailable
from tests.bus.broker import Broker, wait_until
from tests.bus.fault_link import FaultLink
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import AnyPayload, Stand

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


def test_our_bus_keeps_an_event_that_no_queue_wants(stand: Stand) -> None:
    nowhere = f"{stand.done}_nowhere"
    outbox.register({nowhere: AnyPayload})
    stand.start()
    before = stand.broker.depth(topology.UNROUTED)
    stand.announce(nowhere, {"item": "a"})
    wait_until(lambda: stand.effects.unsent(nowhere) == 0, "the relay")
    assert stand.broker.depth(topology.UNROUTED) > before


def test_our_relay_gives_up_on_a_frozen_broker_and_sends_again(stand: Stand, link: FaultLink) -> None:
    service = stand.start(AMQP_URI=link.uri, CONFIRM_SECONDS=1)
    stand.announce(stand.done, {"item": "a"})
    stand.journal.wait_for("done", "a")
    link.freeze()
    stand.announce(stand.done, {"item": "b"})
    service.wait_for_log("relay_held")
    assert stand.effects.unsent(stand.done) == 1
    link.thaw()
    stand.journal.wait_for("done", "b")
    wait_until(lambda: stand.effects.unsent(stand.done) == 0, "the mark")
    assert stand.applied("b") == 1


def test_our_publisher_answers_in_time_when_the_broker_is_frozen(stand: Stand, link: FaultLink) -> None:
    stand.start()
    publisher = stand.publisher(link.uri)
    event = stand.event(stand.done, {"item": "a"})
    publisher.publish(topology.EVENTS, stand.done, event, event["id"], 10)
    link.freeze()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        publisher.publish(topology.EVENTS, stand.done, stand.event(stand.done, {"item": "b"}), "b", 0.5)
    assert time.monotonic() - begun < 5
    link.thaw()
    event = stand.event(stand.done, {"item": "c"})
    publisher.publish(topology.EVENTS, stand.done, event, event["id"], 10)
    stand.journal.wait_for("done", "c")


def test_our_publisher_tells_when_no_queue_takes_the_message(stand: Stand) -> None:
    stand.start()
    with pytest.raises(Unavailable):
        stand.publisher().publish(topology.STUDY, "no such shard", {"id": "a"}, "a", 10)


def test_our_publisher_outlives_a_body_that_is_not_json(stand: Stand) -> None:
    stand.start()
    publisher = stand.publisher()
    for body in ({"number": float("nan")}, {"text": "\ud800"}, {"object": object()}):
        with pytest.raises((ValueError, TypeError)):
            publisher.publish(topology.EVENTS, stand.done, body, "x", 10)
    event = stand.event(stand.done, {"item": "a"})
    publisher.publish(topology.EVENTS, stand.done, event, event["id"], 10)
    stand.journal.wait_for("done", "a")
