"""Work that waits in the database: done without a pause while there is some, tried again after a failure."""

from __future__ import annotations

import threading
import types
from typing import Any

import pytest

from services.shared.bus import continuous, jobs
from services.shared.bus.calls import Continuous, marked_methods


class Working:
    def __init__(self, stopping: threading.Event, *pieces: Any) -> None:
        self.stopping, self.pieces, self.runs = stopping, list(pieces), 0

    @continuous(workers=2, pause_seconds=0.25)
    def do_next(self) -> bool:
        self.runs += 1
        if not self.pieces:
            self.stopping.set()
            return False
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return bool(piece)


class Stopping(threading.Event):
    """Notes how long each wait was asked for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


def run(*pieces: Any) -> list[float | None]:
    stopping = Stopping()
    working = Working(stopping, *pieces)
    host: Any = types.SimpleNamespace(name="test", prototype=working, stopping=stopping)
    jobs.work_on(host, "do_next", marked_methods(Working, Continuous)["do_next"])
    return stopping.waits


def test_it_pauses_only_when_nothing_waits() -> None:
    assert run(True, True, False, True) == [0.0, 0.0, 0.0, 0.25, 0.0, 0.25]


def test_a_failure_does_not_end_it() -> None:
    assert run(True, ValueError("x")) == [0.0, 0.0, jobs.AFTER_FAILURE_SECONDS, 0.25]


@pytest.mark.parametrize("name", ["workers", "pause_seconds"])
def test_the_marker_tells_what_the_process_needs(name: str) -> None:
    assert getattr(marked_methods(Working, Continuous)["do_next"], name) == {"workers": 2, "pause_seconds": 0.25}[name]
