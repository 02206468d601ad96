"""Starts a whole Yanxiu on this machine, in either mode, and stops it in order.

Embedded: PostgreSQL from the wheel, and one process with all services and the gateway (`yanxiu.local.stack`). Servers:
one process per type against DATABASE_URL and AMQP_URI. This process itself is never patched by eventlet.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from services.shared.settings import Settings, SettingsError
from yanxiu.local.processes import GATEWAY, PROCESSES, plan
from yanxiu.local.supervisor import Program, Supervisor, python_module

READY_SECONDS = 60.0
# A service gets 20 s to finish its work (`yanxiu.local.stack`, `services.shared.bus.run`), then 5 s to go.
STOP_SECONDS = 25.0
# glibc would keep argon2's 19 MiB for each of the twenty native threads that ever hashed: 290 MB against 7 measured.
# Large blocks go back to the system at once when the threshold is fixed; two arenas are enough for two busy threads.
# The tunable asks for those blocks in pages of 2 MiB: five thousand faults of 4 KiB cost a third of the hash itself.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "1048576",
    "MALLOC_ARENA_MAX": "2",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
POSTGRES_VARIABLE = "YANXIU_EMBEDDED_POSTGRES_URL"


class StackError(Exception):
    """The stack did not come up; the text says what is known."""


@dataclasses.dataclass
class Stack:
    """A running Yanxiu. What its processes log is in `log`."""

    address: str
    settings: Settings  # with the database's real address, also in the embedded mode
    log: Path
    supervisor: Supervisor
    _ended: threading.Event

    def wait(self) -> None:
        """Block until SIGINT or SIGTERM."""
        while not self._ended.wait(1.0):
            pass


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings whose `database_url` answers: the configured server's, or that of the embedded PostgreSQL while inside."""
    if not settings.embedded:
        yield settings
        return
    from yanxiu.local import postgres

    server = postgres.start(settings.data_dir / "postgres")
    try:
        yield dataclasses.replace(settings, database_url=server.admin_url)
    finally:
        server.stop()


def migrate(settings: Settings) -> Iterator[str]:
    """Bring all databases up to date, then the broker's queues; yields the name of each when it is done.

    The embedded bus forgets at exit, so its queues are declared by the stack itself.
    """
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_all

    yield from migrate_all(settings, open_keyring(settings))
    if not settings.embedded:
        from services.shared.bus import topology
        from services.shared.bus.link import Link

        link = Link(settings.amqp_uri, "yanxiu-migrate")
        try:
            topology.declare(link, plan(settings.study_shards))
        finally:
            link.close()
        yield "queues"


@contextlib.contextmanager
def running(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8080,
    report: Callable[[str], None] = lambda _step: None,
    environment: Mapping[str, str] | None = None,
    copies: Mapping[str, int] | None = None,
) -> Iterator[Stack]:
    """A stack that answers at `Stack.address`, stopped in order when the block ends.

    `environment` is added to every process (a simulated clock, for example); `copies` says of which type several run in
    the servers mode. Raises StackError when it does not become
    ready, SettingsError when the address is taken.
    """
    listener = _listen(host, port)
    address = f"http://{_written(host)}:{listener.getsockname()[1]}"
    with listener, _ending_signals() as ended, database(settings) as settings_here:
        report("database is up")
        for done in migrate(settings_here):
            report(f"{done}: up to date")
        log = _fresh_log(settings.data_dir)
        programs = _programs(settings_here, listener, address, environment or {}, copies or {})
        supervisor = Supervisor([dataclasses.replace(program, log=log) for program in programs], report)
        supervisor.start()
        try:
            _await_ready(address, log, ended)
            yield Stack(address, settings_here, log, supervisor, ended)
        finally:
            for name in supervisor.stop(STOP_SECONDS):
                report(f"{name} did not end in time and was killed")


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, made here and inherited: a taken port is told at once, and a restart loses no caller."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host}:{port} ({error.strerror}); choose another --port") from error
    return listener


def _written(host: str) -> str:
    """How a browser on this machine reaches the address we listen on."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _programs(
    settings: Settings,
    listener: socket.socket,
    address: str,
    environment: Mapping[str, str],
    copies: Mapping[str, int],
) -> list[Program]:
    common = {**MEMORY, "YANXIU_BASE_URL": os.environ.get("YANXIU_BASE_URL", address), **environment}
    number = listener.fileno()
    if settings.embedded:
        common[POSTGRES_VARIABLE] = settings.database_url
        stack = python_module("yanxiu.local.stack", str(number))
        return [Program("yanxiu", stack, environment=common, inherited=(number,))]
    programs = []
    for name, type_ in PROCESSES.items():
        command = python_module("yanxiu", "process", name)
        if name == GATEWAY:
            edge = {**common, "YANXIU_GATEWAY_BIND": f"fd://{number}"}
            programs.append(Program(name, command, type_.layer, edge, (number,)))
        else:
            for copy in range(1, copies.get(name, 1) + 1):
                called = name if copy == 1 else f"{name} {copy}"
                programs.append(Program(called, command, type_.layer, common))
    return programs


@contextlib.contextmanager
def _ending_signals() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM set the event instead of interrupting us in the middle of something. A second SIGINT interrupts."""
    ended = threading.Event()

    def note(number: int, _frame: FrameType | None) -> None:
        if ended.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        ended.set()

    if threading.current_thread() is not threading.main_thread():
        yield ended
        return
    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _fresh_log(folder: Path) -> Path:
    """An empty log file; the last run's is kept beside it."""
    log = folder / "yanxiu.log"
    folder.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(folder / "yanxiu.previous.log")
    log.touch()
    return log


def _await_ready(address: str, log: Path, ended: threading.Event) -> None:
    deadline = time.monotonic() + READY_SECONDS
    answer = "no answer"
    while not ended.is_set():
        answer = _ask_ready(address)
        if not answer:
            return
        if time.monotonic() > deadline:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise StackError(f"not ready after {READY_SECONDS:.0f} s ({answer}); the end of {log}:\n{tail}")
        ended.wait(0.1)
    raise StackError("stopped before it was ready")


def _ask_ready(address: str) -> str:
    """What `/ready` lacks; "" when it is ready."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        body = response.read(500).decode("utf-8", "replace")
        return "" if response.status == http.HTTPStatus.OK else body
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def embedded_settings(settings: Settings) -> Settings:
    """In a child of the launcher: the settings with the embedded PostgreSQL's address."""
    return dataclasses.replace(settings, database_url=os.environ[POSTGRES_VARIABLE])
