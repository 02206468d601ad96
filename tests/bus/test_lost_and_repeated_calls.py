"""RPC: N2 a command is executed again after a crash, N3 no deadline, N4 requests that outlive their caller."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.shared.bus import topology
from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.bus.broker import Broker, wait_until
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_executes_a_command_again_after_a_crash(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    service = start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    caller = start("stock/asking.py", "ask", "a", "30")
    journal.wait_for("done", "a")
    service.kill()  # after the commit, before the reply

    start("stock/calls.py")
    journal.wait_for("done", "a", count=2)
    assert caller.running, "and the caller still waits"


def test_stock_nameko_waits_for_ever_for_a_dead_neighbour(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    broker.declare(f"rpc-{name}_neighbour", "nameko-rpc", f"{name}_neighbour.*")
    start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish({"args": ["a"], "kwargs": {}}, f"{name}.ask_neighbour", "nameko-rpc", reply_to="nobody")
    journal.wait_for("asking", "a")
    with pytest.raises(AssertionError):
        journal.wait_for("answered", "a", timeout=2)
    assert broker.depth(f"rpc-{name}_neighbour") == 1


def test_stock_nameko_executes_what_its_caller_gave_up(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    broker.declare(f"rpc-{name}", "nameko-rpc", f"{name}.*")
    assert start("stock/asking.py", "ask", "a", "0", "0.5").wait() == 0
    assert journal.count("RpcTimeout", "a") == 1

    start("stock/calls.py")
    journal.wait_for("done", "a")


def test_stock_nameko_takes_its_milliseconds_for_seconds(
    broker: Broker, name: str, start: Launcher, journal: Journal
) -> None:
    broker.declare(name)
    assert start("stock/publishing.py", "expiration").wait() == 0
    message = broker.take(name)
    assert message.properties["expiration"] == "500000", "documented as 500 ms, sent as 500 s"


def test_our_bus_commits_a_command_once_across_a_crash(stand: Stand) -> None:
    service = stand.start()
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(stand.call, "record", {"item": "a", "seconds": 2}, command_id=str(new_id()), timeout=20)
        stand.journal.wait_for("done", "a")
        service.kill()  # after the commit, before the reply
        stand.start()
        assert reply.result() == {"item": "a"}, "answered by the second process, from the row of the first"
    assert stand.journal.count("begun", "a") == 2, "delivered again"
    assert stand.applied("a") == 1


def test_our_bus_gives_up_on_a_dead_neighbour(stand: Stand) -> None:
    neighbour = f"{stand.name}-neighbour"
    stand.broker.declare(topology.rpc_queue(neighbour))
    stand.start()
    with pytest.raises(Unavailable, match=r"shared\.deadline"):
        stand.call("ask_neighbour", {"item": "a", "neighbour": neighbour}, timeout=1.5)
    stand.journal.wait_for("gave-up", "shared.deadline")
    stand.broker.wait_for_depth(topology.rpc_queue(neighbour), 0)  # nobody will do this work either


def test_our_bus_names_a_neighbour_that_was_never_there(stand: Stand) -> None:
    stand.start()
    with pytest.raises(Unavailable, match=r"shared\.service_unavailable"):
        stand.call("ask_neighbour", {"item": "a", "neighbour": f"{stand.name}-unknown"})


def test_our_bus_never_executes_what_its_caller_gave_up(stand: Stand) -> None:
    stand.start().kill()  # its queue stays
    with pytest.raises(Unavailable, match=r"shared\.deadline"):
        stand.call("work", {"item": "expired at the broker"}, timeout=0.3)
    late = {"method": "work", "arguments": {"item": "expired at the service"}}
    stand.broker.publish(late, stand.rpc_queue, headers=stand.headers(deadline=f"{time.time() - 1:.3f}"), reply_to="x")

    stand.start()
    assert stand.call("work", {"item": "in-time"})["item"] == "in-time"
    assert [item for word, item, _ in stand.journal.lines() if word == "done"] == ["in-time"]


def test_our_bus_counts_its_milliseconds(stand: Stand) -> None:
    stand.broker.declare(stand.rpc_queue)
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(stand.call, "work", {"item": "a"}, timeout=2)
        message = wait_until(lambda: stand.broker.take(stand.rpc_queue), "the request")
        assert 0 < int(message.properties["expiration"]) <= 2000
        with pytest.raises(Unavailable):
            reply.result()
