"""RPC: N2 a command is executed again after a crash, N3 no deadline, N4 requests that outlive their caller."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher

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
