"""Connections that break while messages are in flight: each counts as a redelivery, and none may cost a good message."""

from __future__ import annotations

import time

import pytest

from services.shared.bus import topology
from services.shared.ids import new_id
from tests.bus.broker import Broker, wait_until
from tests.bus.fault_link import FaultLink
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_a_small_delivery_limit_destroys_good_messages(broker: Broker, name: str) -> None:
    broker.declare(name, **{"x-queue-type": "quorum", "x-delivery-limit": 2})
    for item in range(20):
        broker.publish({"item": item}, name)
    broker.wait_for_depth(name, 20)
    for _ in range(3):
        with broker.channel() as channel:
            channel.basic_qos(0, 50, False)
            channel.basic_consume(name, callback=lambda message: None)
            time.sleep(0.3)  # delivered, and the connection goes before anything is acknowledged
    broker.wait_for_depth(name, 0)


def test_our_bus_loses_nothing_when_connections_break_again_and_again(stand: Stand, link: FaultLink) -> None:
    stand.start(AMQP_URI=link.uri)
    items = [f"item{number}" for number in range(120)]
    stand.announce(stand.counted, *({"item": item, "seconds": 0.02} for item in items))
    stand.announce(stand.done, *({"item": f"single-{item}", "seconds": 0.02} for item in items[:40]))
    dropped = 0
    for _ in range(12):
        time.sleep(0.25)
        dropped += link.drop()
    assert dropped >= 12

    wait_until(lambda: all(stand.applied(item) for item in items), "every message of the batches")
    wait_until(lambda: all(stand.applied(f"single-{item}") for item in items[:40]), "every single event")
    assert {stand.applied(item) for item in items} == {1}
    assert {stand.applied(f"single-{item}") for item in items[:40]} == {1}
    for queue in (stand.events_queue, stand.batch_queue):
        stand.broker.wait_for_depth(queue, 0)
        assert stand.broker.depth(topology.dead_queue(queue)) == 0


def test_our_bus_answers_while_connections_break(stand: Stand, link: FaultLink) -> None:
    stand.start(AMQP_URI=link.uri)
    for number in range(5):
        link.drop()  # the service's side; the caller's connection stays
        assert stand.call("record", {"item": f"item{number}"}, command_id=str(new_id())) == {"item": f"item{number}"}
    assert [stand.applied(f"item{number}") for number in range(5)] == [1] * 5


def test_our_bus_survives_a_paused_process(stand: Stand) -> None:
    service = stand.start(HEARTBEAT=1)
    stand.publish_event(stand.done, {"item": "a", "seconds": 0.5})
    stand.journal.wait_for("begun", "a")
    service.stop_for(4)  # the broker gives the message to somebody else meanwhile
    stand.publish_event(stand.done, {"item": "b"})
    stand.journal.wait_for("done", "b")
    stand.broker.wait_for_depth(stand.events_queue, 0)
    assert stand.applied("a") == 1


def test_our_bus_notices_a_silent_connection(stand: Stand, link: FaultLink) -> None:
    service = stand.start(AMQP_URI=link.uri, HEARTBEAT=1)
    link.freeze()
    service.wait_for_log("listener_lost")  # by heartbeats: the connection itself says nothing
    link.thaw()
    assert stand.call("work", {"item": "a"}, timeout=30)["item"] == "a"


def test_a_redelivery_waits_for_the_work_that_still_runs(stand: Stand, link: FaultLink) -> None:
    stand.start(AMQP_URI=link.uri)
    stand.publish_event(stand.done, {"item": "a", "seconds": 3})
    stand.journal.wait_for("begun", "a")
    second = stand.start()
    link.refuse()  # the broker hands the message to the second process; the first still works on it
    wait_until(lambda: stand.broker.depth(stand.events_queue) == 0, "the second to take it")
    stand.journal.wait_for("done", "a")
    second.terminate()
    assert second.wait() == 0
    assert stand.applied("a") == 1
    assert stand.journal.count("begun", "a") == 1, "the second waited for the first's inbox row"


def test_our_bus_stops_while_the_broker_is_away(stand: Stand, link: FaultLink) -> None:
    service = stand.start(AMQP_URI=link.uri, STOP_SECONDS=10)
    stand.publish_event(stand.done, {"item": "a", "seconds": 2})
    stand.journal.wait_for("begun", "a")
    link.refuse()
    service.terminate()
    assert service.wait() == 0
    assert stand.applied("a") == 1, "what was running has been finished"


def test_our_bus_starts_while_the_broker_is_away(stand: Stand, link: FaultLink) -> None:
    link.refuse()
    service = stand.launch(AMQP_URI=link.uri)
    service.wait_for_log("listener_lost")
    link.restore()
    assert wait_until(lambda: stand.journal.count("ready"), "readiness")
    assert stand.call("work", {"item": "a"})["item"] == "a"
