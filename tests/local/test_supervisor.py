"""The supervisor: a failing program is restarted alone, stopping has an order and an end, orphans notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from yanxiu.local.supervisor import Program, Supervisor

SECONDS = 15.0


def program(name: str, code: str, *arguments: str, layer: int = 0) -> Program:
    return Program(name, [sys.executable, "-c", code, *arguments], layer)


def await_true(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


SLEEP = "import time; time.sleep(60)"
# Tells that it is ready, then that it stops, each in one line of the journal.
TELL = """
import signal, sys, time
def tell(word):
    with open(sys.argv[1], "a") as journal: journal.write(f"{sys.argv[2]} {word}\\n")
def stop(*_):
    time.sleep(0.2); tell("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
tell("ready")
time.sleep(60)
"""


def test_a_killed_program_is_restarted_and_the_others_are_left_alone() -> None:
    said: list[str] = []
    supervisor = Supervisor([program("one", SLEEP), program("two", SLEEP)], said.append)
    supervisor.start()
    try:
        before = supervisor.pids()
        os.kill(before["one"], signal.SIGKILL)
        await_true(lambda: supervisor.pids().get("one") not in (None, before["one"]), "one comes back")
        assert supervisor.pids()["two"] == before["two"]
        assert said == ["one ended with signal SIGKILL; it is started again"]
    finally:
        assert supervisor.stop(5) == []


def test_a_program_that_keeps_failing_is_started_less_and_less_often() -> None:
    supervisor = Supervisor([program("broken", "raise SystemExit(3)")], lambda _line: None)
    supervisor.start()
    try:
        time.sleep(2.5)
        # Pauses of 0.5, 1 and 2 s: without them it would be dozens.
        assert 1 <= supervisor.restarts()["broken"] <= 3
    finally:
        supervisor.stop(5)


def test_layers_stop_one_after_the_other(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    names = ["callee", "edge", "consumer"]
    layers = {"edge": 0, "consumer": 1, "callee": 3}
    programs = [program(name, TELL, str(journal), name, layer=layers[name]) for name in names]
    supervisor = Supervisor(programs, lambda _line: None)
    supervisor.start()
    await_true(lambda: journal.exists() and journal.read_text().count("ready") == 3, "all are ready")
    assert supervisor.stop(10) == []
    stopped = [line.split()[0] for line in journal.read_text().splitlines() if line.endswith("stopped")]
    assert stopped == ["edge", "consumer", "callee"]


def test_a_program_that_does_not_end_is_killed_at_the_end_of_the_budget(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + TELL.replace(
        "signal.signal(signal.SIGTERM, stop)", ""
    )
    supervisor = Supervisor([program("deaf", deaf, str(journal), "deaf")], lambda _line: None)
    supervisor.start()
    await_true(journal.exists, "it is ready")
    started = time.monotonic()
    assert supervisor.stop(0.5) == ["deaf"]
    assert time.monotonic() - started < 5


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    child = "import os, sys, time; from yanxiu.local import life_line; life_line.watch()\n"
    child += "open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    parent = "import sys, time; from yanxiu.local.supervisor import Program, Supervisor\n"
    parent += "s = Supervisor([Program('child', sys.argv[1:])], print); s.start(); time.sleep(60)"
    pid_file = tmp_path / "pid"
    supervisor = subprocess.Popen([sys.executable, "-c", parent, sys.executable, "-c", child, str(pid_file)])
    await_true(lambda: pid_file.exists() and pid_file.read_text(), "the child runs")
    pid = int(pid_file.read_text())
    supervisor.kill()
    supervisor.wait()
    await_true(lambda: not _runs(pid), "the child has noticed")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().partition(") ")[2]
    except OSError:
        return False
    return not state.startswith("Z")
