"""`yanxiu up`, as a person types it: it comes up by itself, stops on Ctrl-C, and comes up again with what it had."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from yanxiu.local import postgres

SECONDS = 120  # a loaded machine must not fail a test; alone it takes six


class Up:
    """A running `yanxiu up` on a free port."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.address = ""
        self._found = threading.Event()
        servers = ("DATABASE_URL", "AMQP_URI")
        environment = {name: value for name, value in os.environ.items() if name not in servers}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yanxiu", "up", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, "YANXIU_DATA_DIR": str(folder), "COLUMNS": "200"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"serves at (http://\S+)", line):
                self.address = found[1]
                self._found.set()
        self._found.set()

    def await_address(self) -> str:
        self._found.wait(SECONDS)
        assert self.address, "".join(self.lines)
        return self.address

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    postgres.remove(tmp_path / "data" / "postgres")


@contextlib.contextmanager
def up(folder: Path) -> Iterator[Up]:
    running = Up(folder)
    try:
        running.await_address()
        yield running
    finally:
        running.stop(signal.SIGTERM)


@pytest.mark.slow
def test_it_serves_stops_on_ctrl_c_and_serves_again(folder: Path) -> None:
    with up(folder) as first:
        assert first.get("/ready") == 200
        assert first.get("/api/v1/divisions") == 200
        assert first.stop(signal.SIGINT) == 0, "".join(first.lines)
    assert "killed" not in "".join(first.lines), "everything stopped within its budget"
    log = (folder / "yanxiu.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[-3000:]
    with up(folder) as second:
        assert second.get("/ready") == 200


@pytest.mark.slow
def test_killed_as_a_whole_it_leaves_nothing_that_hinders_the_next_start(folder: Path) -> None:
    with up(folder) as first:
        first.process.kill()
        first.process.wait()
    with up(folder) as second:
        assert second.get("/ready") == 200


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = subprocess.run(
            [sys.executable, "-m", "yanxiu", "up", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "YANXIU_DATA_DIR": str(tmp_path)},
        )
    assert told.returncode == 2
    assert told.stderr.strip().endswith(
        f"cannot listen on 127.0.0.1:{port} (Address already in use); choose another --port"
    )
    assert not (tmp_path / "postgres").exists(), "nothing was started"


def test_one_server_without_the_other_is_refused(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AMQP_URI"}
    told = subprocess.run(
        [sys.executable, "-m", "yanxiu", "up", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "DATABASE_URL": "postgresql://127.0.0.1/postgres", "YANXIU_DATA_DIR": str(tmp_path)},
    )
    assert told.returncode == 2
    assert "set both DATABASE_URL and AMQP_URI" in told.stderr
    assert "Traceback" not in told.stderr
