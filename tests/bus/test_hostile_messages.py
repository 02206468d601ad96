"""N7 no reply_to, N15 bodies that cannot be decoded, N16 forged headers: what a stranger may put into a queue."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Journal, Launcher

pytestmark = pytest.mark.rabbitmq

ID_NUMBER = "11010519491231002X"  # the sample of GB 11643-1999, annex A; nobody's


def test_stock_nameko_dies_of_a_call_without_a_reply_address_at_each_start(
    broker: Broker, name: str, start: Launcher
) -> None:
    first = start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish({"args": ["a"], "kwargs": {}}, f"{name}.work", "nameko-rpc")
    assert first.wait() != 0
    assert broker.depth(f"rpc-{name}") == 1
    assert start("stock/calls.py").wait() != 0, "the message waits for the next start"


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "a", "id_number": "' + ID_NUMBER,
        '{"id": "a", "id_number": {"__type__": "' + ID_NUMBER + '", "__value__": 1}}',
    ],
    ids=["broken JSON", "a type that kombu does not know"],
)
def test_stock_nameko_loses_what_it_cannot_decode_and_logs_the_body(
    broker: Broker, name: str, start: Launcher, journal: Journal, body: str
) -> None:
    queue = f"evt-{name}_source-done--{name}.on_done"
    service = start("stock/events.py")
    broker.wait_for_consumer(queue)
    broker.publish(body, "done", f"{name}_source.events")
    service.wait_for_log(ID_NUMBER)
    service.kill()
    assert journal.count("begun") == 0
    assert broker.depth(queue) == 0, "acknowledged and gone"


def test_stock_nameko_believes_any_header(broker: Broker, name: str, start: Launcher, journal: Journal) -> None:
    start("stock/trusting.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish(
        {"args": ["a"], "kwargs": {}}, f"{name}.work", "nameko-rpc", headers={"role": "NATIONAL_OPERATOR"}, reply_to="x"
    )
    journal.wait_for("role", "NATIONAL_OPERATOR")
