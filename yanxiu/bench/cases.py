"""One measured operation, and running several of them in turns.

Turns alternate their direction (ABBA), so that a machine that grows slower during the run treats all alike.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from yanxiu.bench import usage

# Work that goes on without any request (sweepers, heartbeats, the relay's looks) is measured by itself and taken off.
# Over one second, work that comes about once a second is caught twice or not at all.
IDLE_SECONDS = 4.0
GLANCE_SECONDS = 0.5  # of a single round, which is a glance and no measurement
CALLER = "caller"

Parts = Callable[[], Mapping[str, set[int]]]


class BenchError(Exception):
    """An operation did not do what it was measured for, so that its figures mean nothing."""


class Asker(Protocol):
    """One caller with a connection of its own; used by one thread at a time."""

    def ask(self) -> None: ...

    def close(self) -> None: ...


class Runner(Protocol):
    """Does an operation many times; returns how long each took, in seconds."""

    def run(self, count: int) -> list[float]: ...

    def close(self) -> None: ...


class Threads:
    """Asks from real threads of this process, as the gateway does."""

    def __init__(self, connect: Callable[[], Asker], concurrency: int) -> None:
        self._connect = connect
        self._concurrency = concurrency
        self._askers: list[Asker] = []
        self._pool = ThreadPoolExecutor(concurrency)

    def run(self, count: int) -> list[float]:
        while len(self._askers) < self._concurrency:
            self._askers.append(self._connect())
        each = max(1, count // self._concurrency)
        runs = [self._pool.submit(ask_often, asker, each) for asker in self._askers]
        return [seconds for run in runs for seconds in run.result()]

    def close(self) -> None:
        self._pool.shutdown()
        for asker in self._askers:
            asker.close()


class Alone:
    """One caller, in this thread."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self.ask = ask

    def run(self, count: int) -> list[float]:
        return ask_often(self, count)

    def close(self) -> None:
        """Its connection is the benchmark's."""


def ask_often(asker: Asker, count: int) -> list[float]:
    """How long each of `count` askings took, in seconds, one after the other."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        asker.ask()
        took.append(time.perf_counter() - began)
    return took


@dataclasses.dataclass
class Case:
    """An operation with the processes that it occupies, by what they are.

    `caller_counts`: this process is one of them (a service that asks), and not only the load. `settle_seconds`: what the
    operation sets off goes on after the answer, and belongs to its cost.
    """

    name: str
    told: str
    runner: Runner
    parts: Parts
    caller_counts: bool = False
    settle_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Sample:
    """One turn of a case: CPU microseconds per operation by part, operations per second, each answer's seconds."""

    cpu_us: Mapping[str, float]
    rate: float
    seconds: Sequence[float]

    @property
    def total_us(self) -> float:
        return sum(self.cpu_us.values())


Report = Callable[[int, int], None]


def measure(
    cases: Sequence[Case],
    rounds: int,
    count: int,
    report: Report = lambda _done, _all: None,
    before_round: Callable[[], Any] = lambda: None,
) -> dict[str, list[Sample]]:
    """Samples of each case, one per round; before them one round to warm up, which is thrown away.

    Raises BenchError when an operation came out wrong.
    """
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for number in range(rounds + 1):
        before_round()
        idle = _idle_rates(cases, IDLE_SECONDS if rounds > 1 else GLANCE_SECONDS)
        for case in cases if number % 2 else reversed(cases):
            sample = _take(case, count if number else max(1, count // 4), idle)
            if number:
                samples[case.name].append(sample)
        report(number, rounds)
    return samples


def _idle_rates(cases: Sequence[Case], seconds: float) -> dict[int, float]:
    """CPU seconds per second that each process uses while nobody asks anything; looked at for `seconds`."""
    pids = {pid for case in cases for members in case.parts().values() for pid in members}
    before = usage.cpu_by_process(pids)
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    after = usage.cpu_by_process(pids)
    return {pid: (after[pid] - before[pid]) / took for pid in before if pid in after}


def _take(case: Case, count: int, idle: Mapping[int, float]) -> Sample:
    before = usage.cpu_by_process(_all(case.parts()))
    own = time.process_time()
    began = time.perf_counter()
    seconds = case.runner.run(count)
    asked = time.perf_counter() - began
    own = time.process_time() - own
    time.sleep(case.settle_seconds)
    window = time.perf_counter() - began
    parts = case.parts()
    after = usage.cpu_by_process(_all(parts))
    # A process that came meanwhile counts from its birth.
    used = {pid: after[pid] - before.get(pid, 0.0) - idle.get(pid, 0.0) * window for pid in after}
    cpu = {part: max(0.0, sum(used.get(pid, 0.0) for pid in pids)) * 1e6 / len(seconds) for part, pids in parts.items()}
    if case.caller_counts:
        cpu[CALLER] = own * 1e6 / len(seconds)
    return Sample(cpu, len(seconds) / asked, seconds)


def _all(parts: Mapping[str, set[int]]) -> set[int]:
    return {pid for pids in parts.values() for pid in pids if pid != os.getpid()}
