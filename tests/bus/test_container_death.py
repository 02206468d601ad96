"""N8: an error in a dependency. One bad request must not end the process."""

from __future__ import annotations

import pytest

from services.shared.bus.client import DefectError
from tests.bus.broker import Broker, wait_until
from tests.bus.processes import Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq

HOSTILE_HEADERS = [
    {"deadline": "nan"},
    {"deadline": "inf"},
    {"deadline": "1e300"},
    {"deadline": {"a": "table"}},
    {"deadline": ""},
    {"actor": 5},
    {"actor": ""},
    {"actor": "a.b.c"},
    {"traceparent": ["a", "list"]},
    {"call_id": {"a": "table"}},
    {"command_id": "x" * 10_000},
]


def test_stock_nameko_ends_the_process_when_a_dependency_fails(broker: Broker, name: str, start: Launcher) -> None:
    service = start("stock/broken_dependency.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish({"args": ["nobody"], "kwargs": {}}, f"{name}.work", "nameko-rpc", reply_to="x")
    assert service.wait() != 0
    assert broker.depth(f"rpc-{name}") == 1, "and the next start meets the same message"


def test_our_bus_answers_after_every_kind_of_failure(stand: Stand) -> None:
    service = stand.start()
    with pytest.raises(DefectError):
        stand.call("work", {"no item": "so the method fails"})
    with pytest.raises(DefectError):
        stand.call("answer_oddly", {}, timeout=3)
    for headers in HOSTILE_HEADERS:
        request = {"method": "work", "arguments": {"item": "forged"}}
        stand.broker.publish(
            request, stand.rpc_queue, headers=stand.headers(**headers), reply_to="amq.rabbitmq.reply-to.x"
        )
    assert stand.call("work", {"item": "a"})["item"] == "a"
    assert service.running
    assert stand.journal.count("ready") == 1, "and it was never restarted inside"


def test_our_bus_starts_a_dead_container_again_inside_its_process(stand: Stand) -> None:
    service = stand.start(CONTAINER_DIES=1)
    service.wait_for_log("service_failed")
    assert stand.call("work", {"item": "a"}, timeout=30)["item"] == "a"
    stand.announce(stand.done, {"item": "b"})
    stand.journal.wait_for("done", "b")
    assert stand.applied("b") == 1
    wait_until(
        lambda: stand.broker.state(stand.rpc_queue) == (0, 1), "one consumer: the old container left none behind"
    )
    service.terminate()
    assert service.wait() == 0
