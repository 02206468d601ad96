"""N18: a periodic job with two instances of the service."""

from __future__ import annotations

import pytest

from tests.bus.broker import wait_until
from tests.bus.processes import Journal, Launcher

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_ticks_in_every_instance(start: Launcher, journal: Journal) -> None:
    start("stock/ticking.py")
    start("stock/ticking.py")
    wait_until(lambda: len({line[2] for line in journal.lines()}) == 2, "ticks from both processes")
