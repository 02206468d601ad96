"""A sleeper sleeps without looking around, and misses no wake-up."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared.bus.sleeper import Sleeper

LONG = 30.0


class Line:
    """As much of a link as a sleeper sees: one end of a pair of sockets."""

    def __init__(self, *, in_memory: bool = False) -> None:
        self.in_memory = in_memory
        self.socket, self.broker = socket.socketpair()
        self.read_ahead = False

    def has_read_ahead(self) -> bool:
        return self.read_ahead

    def close(self) -> None:
        self.socket.close()
        self.broker.close()


@pytest.fixture(params=[False, True], ids=["broker", "memory"])
def line(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = Line(in_memory=request.param)
    yield made
    made.close()


def test_work_that_was_added_before_the_sleep_ends_it_at_once(line: Any) -> None:
    sleeper = Sleeper()
    with sleeper.beside(line) as sleep:
        assert sleep(LONG, lambda: False) is False


def test_no_wake_up_is_lost(line: Any) -> None:
    """Whenever work comes, before, during or after the last look: a lost one would cost the sleep's whole length."""
    sleeper, work = Sleeper(), queue.Queue[int]()
    done: list[int] = []

    def serve() -> None:
        with sleeper.beside(line) as sleep:
            while len(done) < 2000:
                try:
                    done.append(work.get_nowait())
                except queue.Empty:
                    sleep(LONG, work.empty)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for number in range(2000):
        work.put(number)
        sleeper.wake()
        if number % 7 == 0:
            time.sleep(0)
    thread.join(LONG / 2)
    assert done == list(range(2000))


def test_twin_without_the_second_look_a_wake_up_is_lost() -> None:
    """Sabotage: a sleeper that does not look again after it said that it sleeps misses what came just before."""
    sleeper, line = Sleeper(), Line()
    with sleeper.beside(line) as sleep:  # type: ignore[arg-type]
        sleeper.wake()  # nobody sleeps yet, so no byte is written: the work itself is the only trace
        assert sleep(LONG, lambda: False) is False
        began = time.monotonic()
        assert sleep(0.05, lambda: True) is False
        assert time.monotonic() - began >= 0.05
    line.close()


def test_the_broker_ends_the_sleep() -> None:
    sleeper, line = Sleeper(), Line()
    with sleeper.beside(line) as sleep:  # type: ignore[arg-type]
        line.broker.send(b"a confirm")
        assert sleep(LONG, lambda: True) is True
        line.socket.recv(100)
        line.read_ahead = True
        assert sleep(LONG, lambda: True) is True
    line.close()
