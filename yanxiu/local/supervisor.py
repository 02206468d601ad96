"""Keeps child processes running: restarts the failed with growing pauses, and stops all in order under one budget."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from yanxiu.local import life_line

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A process that ran this long was healthy: its next failure starts with the short pause again.
HEALTHY_SECONDS = 60.0
POLL_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Program:
    """A command to keep running. Lower `layer`s stop first."""

    name: str
    command: Sequence[str]
    layer: int = 0
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inherited: tuple[int, ...] = ()  # file descriptors, such as the listening socket
    log: Path | None = None  # where its output goes; None: where ours goes


class Child:
    """One program's process, now or soon. Used by the supervisor's thread only."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.restarts = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._started_at = 0.0
        self._due_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._life_line: int | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        reading, self._life_line = os.pipe()
        self._started_at = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, reading)
            output = stack.enter_context(self.program.log.open("ab")) if self.program.log else None
            self._process = subprocess.Popen(
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.program.environment, life_line.VARIABLE: str(reading)},
                pass_fds=(*self.program.inherited, reading),
                # Ctrl-C must reach us alone; we tell the children in order.
                start_new_session=True,
            )

    def tend(self) -> int | None:
        """Restart the process when it has ended and its pause is over; returns the exit code when it just ended."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._due_at:
                self.restarts += 1
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        self._forget()
        if now - self._started_at > HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self._due_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return code

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def await_end(self, deadline: float) -> bool:
        """Wait for the process; kills it at the deadline. Returns whether it ended by itself."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
            return True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        finally:
            self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._life_line is not None:
            os.close(self._life_line)
            self._life_line = None


class Supervisor:
    """Runs programs until `stop`. A failing one is restarted alone; it never takes the others down."""

    def __init__(self, programs: Sequence[Program], report: Callable[[str], None]) -> None:
        self._children = [Child(program) for program in programs]
        self._report = report
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="supervisor", daemon=True)

    def start(self) -> None:
        for child in self._children:
            child.start()
        self._thread.start()

    def pids(self) -> dict[str, int]:
        """The running processes by program name."""
        return {child.program.name: child.pid for child in self._children if child.pid is not None}

    def restarts(self) -> dict[str, int]:
        return {child.program.name: child.restarts for child in self._children}

    def stop(self, budget_seconds: float) -> list[str]:
        """Stop all, layer by layer; returns the programs that had to be killed at the end of the budget."""
        deadline = time.monotonic() + budget_seconds
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        killed: list[str] = []
        for layer in sorted({child.program.layer for child in self._children}):
            members = [child for child in self._children if child.program.layer == layer]
            for child in members:
                child.ask_to_stop()
            killed += [child.program.name for child in members if not child.await_end(deadline)]
        return killed

    def _tend(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            for child in self._children:
                code = child.tend()
                if code is not None:
                    self._report(f"{child.program.name} ended with {_describe(code)}; it is started again")


def _describe(code: int) -> str:
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def python_module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module under this Python."""
    return [sys.executable, "-m", name, *arguments]
