"""N8: an error in a dependency. One bad request must not end the process."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker
from tests.bus.processes import Launcher

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_ends_the_process_when_a_dependency_fails(broker: Broker, name: str, start: Launcher) -> None:
    service = start("stock/broken_dependency.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish({"args": ["nobody"], "kwargs": {}}, f"{name}.work", "nameko-rpc", reply_to="x")
    assert service.wait() != 0
    assert broker.depth(f"rpc-{name}") == 1, "and the next start meets the same message"
