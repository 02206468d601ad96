"""How long the embedded stack takes to come up, fresh and again, and how much memory it then holds."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from yanxiu.bench import machine, usage
from yanxiu.bench.cases import BenchError
from yanxiu.journey.people import invent

START_GOAL_SECONDS = 10.0
MEMORY_GOAL_MIB = 400.0
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
REST_SECONDS = 3.0
READS, SIGN_UPS = 200, 8
MIB = 1024 * 1024

Report = Callable[[str], None]


class Up:
    """A running `yanxiu up` of the embedded mode; its first readiness took `ready_seconds`."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        aside = dict.fromkeys(("DATABASE_URL", "AMQP_URI", "YANXIU_CLOCK_FILE"), "")
        self._began = time.perf_counter()
        self.ready_seconds = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yanxiu", "up", "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **aside, "YANXIU_DATA_DIR": str(folder)},
        )

    def await_ready(self) -> None:
        while self.get("/ready") != http.HTTPStatus.OK:
            if self.process.poll() is not None or time.perf_counter() - self._began > READY_SECONDS:
                raise BenchError("`yanxiu up` did not become ready; type it to see why")
            time.sleep(0.02)
        self.ready_seconds = time.perf_counter() - self._began

    def get(self, path: str) -> int:
        """The status of a GET; 0 while nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        return 0

    def memory_mib(self) -> dict[str, float]:
        """PSS of all processes of the stack, by what they are."""
        pids = usage.tree(self.process.pid)
        database = {pid for pid in pids if "postgres" in usage.title(pid).partition(" ")[0]}
        stack = {pid for pid in pids if "yanxiu.local.stack" in usage.title(pid)}
        parts = {"database": database, "stack": stack, "launcher": pids - database - stack}
        found = {part: sum(usage.memory(pid).pss for pid in members) / MIB for part, members in parts.items()}
        return {**found, "all": sum(found.values())}

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The stack's own life line ends what is below it.
            self.process.kill()
            self.process.wait()


def measure_start(rounds: int, report: Report) -> dict[str, Any]:
    """Start times and memory, with their goals, as JSON can hold them. Raises BenchError when it does not come up."""
    fresh: list[float] = []
    again: list[float] = []
    resting: list[dict[str, float]] = []
    worked: list[dict[str, float]] = []
    for number in range(1, rounds + 1):
        with _own_folder() as folder:
            with _up(folder) as first:
                fresh.append(first.ready_seconds)
                report(f"round {number}: fresh folder, ready after {first.ready_seconds:.1f} s")
                time.sleep(REST_SECONDS)
                resting.append(first.memory_mib())
                _use(first)
                time.sleep(REST_SECONDS)
                worked.append(first.memory_mib())
                report(f"round {number}: {resting[-1]['all']:.0f} MiB at rest, {worked[-1]['all']:.0f} MiB after use")
            with _up(folder) as second:
                again.append(second.ready_seconds)
                report(f"round {number}: second start, ready after {second.ready_seconds:.1f} s")
    return _document(rounds, fresh, again, resting, worked)


def _document(
    rounds: int,
    fresh: list[float],
    again: list[float],
    resting: list[dict[str, float]],
    worked: list[dict[str, float]],
) -> dict[str, Any]:
    at_rest, after_use = _medians(resting), _medians(worked)
    goals = [
        _goal("start", "second start to the first /ready", statistics.median(again), "s", START_GOAL_SECONDS),
        _goal(
            "first_start", "first start: a new database, migrated", statistics.median(fresh), "s", START_GOAL_SECONDS
        ),
        _goal("memory", "memory (PSS) at rest, with PostgreSQL", at_rest["all"], "MiB", MEMORY_GOAL_MIB),
        _goal("memory_used", "memory (PSS) after use", after_use["all"], "MiB", MEMORY_GOAL_MIB),
    ]
    goals += [
        _goal(f"memory_{part}", f"  of it {part}, at rest", at_rest[part], "MiB", None)
        for part in ("stack", "database", "launcher")
    ]
    return {
        "bench": "start",
        "rounds": rounds,
        "seconds": {"fresh": _rounded(fresh), "again": _rounded(again)},
        "goals": goals,
        "machine": machine.facts(),
    }


def _goal(name: str, told: str, found: float, unit: str, goal: float | None) -> dict[str, Any]:
    row = {"name": name, "told": told, "found": round(found, 2), "unit": unit, "goal": goal}
    return row if goal is None else {**row, "met": found <= goal}


def _medians(samples: list[dict[str, float]]) -> dict[str, float]:
    return {part: statistics.median(sample[part] for sample in samples) for part in samples[0]}


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 2) for value in values]


def _use(up: Up) -> None:
    """Some work of each kind, so that what is loaded and pooled on first use is there."""
    from yanxiu.journey.api import Api

    for _ in range(READS):
        if up.get("/api/v1/divisions") != http.HTTPStatus.OK:
            raise BenchError("GET /api/v1/divisions failed")
    for number in range(1, SIGN_UPS + 1):
        Api(f"http://127.0.0.1:{up.port}").register(invent(7001, number).phone, "Bench-teacher-2023")


@contextlib.contextmanager
def _up(folder: Path) -> Iterator[Up]:
    up = Up(folder)
    try:
        up.await_ready()
        yield up
    finally:
        up.stop()


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    import shutil

    from yanxiu.local import postgres

    folder = Path(tempfile.mkdtemp(prefix="yanxiu-bench-"))
    try:
        yield folder
    finally:
        postgres.remove(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """A port that was free a moment ago: `yanxiu up` tells its own only when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
