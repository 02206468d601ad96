"""N18: a periodic job with two instances of the service."""

from __future__ import annotations

import time

import pytest

from tests.bus.broker import wait_until
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_stock_nameko_ticks_in_every_instance(start: Launcher, journal: Journal) -> None:
    start("stock/ticking.py")
    start("stock/ticking.py")
    wait_until(lambda: len({line[2] for line in journal.lines()}) == 2, "ticks from both processes")


def test_our_bus_runs_a_job_once_in_a_period_and_never_twice_at_once(stand: Stand) -> None:
    begun_at = time.monotonic()
    for _ in range(3):
        stand.start(TICK_SECONDS=0.5)
    stand.journal.wait_for("tick-done", count=6)
    periods = (time.monotonic() - begun_at) / 0.5 + 1
    assert stand.journal.count("tick-begun") <= periods, "three instances, one run each period"
    ticks = [(word, pid) for word, _, pid in stand.journal.lines() if word.startswith("tick")]
    for begun, done in zip(ticks[::2], ticks[1::2], strict=False):
        assert (begun[0], done[0]) == ("tick-begun", "tick-done"), "two ran at once"
        assert begun[1] == done[1]


def test_our_bus_runs_a_job_elsewhere_when_its_instance_dies(stand: Stand) -> None:
    first = stand.start(TICK_SECONDS=0.2)
    stand.journal.wait_for("tick-begun")
    first.kill()
    second = str(stand.start(TICK_SECONDS=0.2).pid)
    wait_until(lambda: any(word == "tick-done" and pid == second for word, _, pid in stand.journal.lines()), "a run")
