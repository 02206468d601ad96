"""Services under test as processes of their own: started, watched, stopped and killed by id, never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bus.broker import WAIT, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Journal:
    """What the services did: they append lines "word id pid", so that work done twice shows as two lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self) -> list[list[str]]:
        return [line.split(" ") for line in self.path.read_text(encoding="utf-8").splitlines()]

    def count(self, word: str, item: str | None = None) -> int:
        return sum(1 for line in self.lines() if line[0] == word and (item is None or line[1] == item))

    def wait_for(self, word: str, item: str | None = None, count: int = 1, timeout: float = WAIT) -> None:
        wait_until(lambda: self.count(word, item) >= count, f"{count} x {word} {item or ''}", timeout)


class Process:
    """One script in a process of its own; both its outputs go to one log file."""

    def __init__(self, script: str, log: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.script = script
        self.log_path = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-u", str(Path(__file__).parent / script), *arguments],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "PYTHONWARNINGS": "ignore",
                    "EVENTLET_NO_GREENDNS": "yes",
                    **environment,
                },
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for_log(self, text: str, timeout: float = WAIT) -> None:
        wait_until(lambda: text in self.log or not self.running, f"{text!r} in the log", timeout)
        assert text in self.log, f"exit {self._process.returncode} without {text!r}:\n{self.log[-3000:]}"

    def wait(self, timeout: float = WAIT) -> int:
        """The exit code; fails when the process is still there after `timeout`."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:.0f} s:\n{self.log[-3000:]}") from None

    def go_on(self) -> None:
        """Let a script that reads a line from its input continue."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.running:
            self._process.kill()
        self._process.wait(10)
        if self._process.stdin:
            self._process.stdin.close()

    def stop_for(self, seconds: float) -> None:
        """Freeze it, as a paused virtual machine would be."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)


class Launcher:
    """Starts processes with the test's settings, and kills what is left at its end."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self.environment = environment
        self._started: list[Process] = []

    def __call__(self, script: str, *arguments: str, **environment: Any) -> Process:
        log = self._folder / f"{len(self._started)}.log"
        changed = {name: str(value) for name, value in environment.items()}
        process = Process(script, log, arguments, {**self.environment, **changed})
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            process.kill()
            # pytest shows this for a failed test only.
            print(f"--- {process.script}, exit {process.wait()}\n{process.log[-3000:]}")  # noqa: T201
