"""The floors: what no design on this machine can undercut, and what our bus is held against."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import itertools
import json
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from services.shared.settings import Settings
from yanxiu.bench import ground, usage
from yanxiu.bench.cases import Case, Runner, Threads
from yanxiu.bench.web import Request, WebAsker, WebRunner
from yanxiu.local.processes import GUNICORN_SETTINGS
from yanxiu.local.supervisor import Program, Supervisor, python_module

HELLO, POST, RAW, BUS, STOCK, UPSERT = "hello", "post", "raw", "bus", "stock", "upsert"
MONOLITH_ONE, MONOLITH_TEN = "monolith_1", "monolith_10"
MONOLITH = "monolith"
PROGRAMS = "yanxiu.bench.programs"
# Whose database the echo names as its own and the upsert's table stands in.
DATABASE_OF = "catalog"
READY_SECONDS = 60.0
ROWS = 1000
VIDEO_SECONDS = 3600
# As long as a study report of ten segments with its play token.
POSTED = {"play_token": "x" * 450, "seq": 1, "segments": [{"from": 60 * i, "to": 60 * i + 60} for i in range(10)]}


@dataclasses.dataclass(frozen=True)
class Floors:
    """The programs of the floors, running, and how to make cases of them."""

    settings: Settings
    concurrency: int
    supervisor: Supervisor
    addresses: Mapping[str, str]
    database_parts: Callable[[], set[int]]

    def cases(self, names: Sequence[str]) -> list[Case]:
        """The named cases that this mode has, after each has answered once."""
        makers = {HELLO: self._hello, POST: self._post, RAW: self._raw, BUS: self._bus, UPSERT: self._upsert}
        if not self.settings.embedded:
            makers[STOCK] = self._stock
        if MONOLITH in self.addresses:
            makers[MONOLITH_ONE] = lambda: self._monolith(MONOLITH_ONE, 1)
            makers[MONOLITH_TEN] = lambda: self._monolith(MONOLITH_TEN, 10)
        made = [makers[name]() for name in names if name in makers]
        for case in made:
            _await_answer(case.runner)
        return made

    def _program(self, name: str) -> set[int]:
        pid = self.supervisor.pids().get(name)
        return usage.tree(pid) if pid is not None else set()

    def _threads(self, connect: Callable[[], object]) -> Runner:
        return Threads(connect, self.concurrency)  # type: ignore[arg-type]

    def _hello(self) -> Case:
        address = self.addresses[HELLO]
        server = "eventlet" if self.settings.embedded else "gthread"
        return Case(
            HELLO,
            f"Flask hello, {server}",
            self._threads(lambda: WebAsker(address, lambda: Request("GET", "/", {}))),
            lambda: {"server": self._program(HELLO)},
        )

    def _post(self) -> Case:
        address, body = self.addresses[HELLO], json.dumps(POSTED).encode()
        post = Request("POST", "/", {"Content-Type": "application/json"}, body, 202)
        return Case(
            POST,
            "Flask POST of JSON",
            self._threads(lambda: WebAsker(address, lambda: post)),
            lambda: {"server": self._program(HELLO)},
        )

    def _monolith(self, name: str, segments: int) -> Case:
        address = self.addresses[MONOLITH]
        return Case(
            name,
            f"monolith, {segments} segment{'s' if segments > 1 else ''}",
            self._threads(lambda: WebAsker(address, MonolithTeacher(segments).report)),
            lambda: {"server": self._program(MONOLITH), "database": self.database_parts()},
        )

    def _raw(self) -> Case:
        if self.settings.embedded:
            runner = WebRunner(self.addresses["in_memory"], f"/{RAW}", self.concurrency)
            return Case(RAW, "in-memory round trip", runner, self._in_memory)
        from yanxiu.bench.programs.raw import RawAsker

        uri = self.settings.amqp_uri
        return Case(
            RAW,
            "raw AMQP round trip",
            self._threads(lambda: RawAsker(uri)),
            lambda: {"service": self._program(RAW), "broker": usage.broker(uri)},
            caller_counts=True,
        )

    def _bus(self) -> Case:
        told = "empty call of our bus"
        if self.settings.embedded:
            runner = WebRunner(self.addresses["in_memory"], f"/{BUS}", self.concurrency)
            return Case(BUS, told, runner, self._in_memory)
        from yanxiu.bench.programs import echo

        return Case(
            BUS,
            told,
            self._threads(lambda: echo.connect(self.settings)),
            lambda: {"service": self._program(BUS), "broker": usage.broker(self.settings.amqp_uri)},
            caller_counts=True,
        )

    def _in_memory(self) -> dict[str, set[int]]:
        return {"process": self._program("in_memory")}

    def _stock(self) -> Case:
        with warnings.catch_warnings():
            # eventlet says at import that it is in bug-fix mode; nameko 2 has no other hub.
            warnings.simplefilter("ignore")
            from yanxiu.bench.programs.stock import StockAsker

        uri = self.settings.amqp_uri
        return Case(
            STOCK,
            "stock nameko RPC",
            self._threads(lambda: StockAsker(uri)),
            lambda: {"service": self._program(STOCK), "broker": usage.broker(uri)},
            caller_counts=True,
        )

    def _upsert(self) -> Case:
        url = _database_url(self.settings)
        numbers = itertools.count(1)
        lock = threading.Lock()

        def connect() -> UpsertAsker:
            with lock:
                return UpsertAsker(url, next(numbers))

        return Case(
            UPSERT,
            "upsert, one row",
            self._threads(connect),
            lambda: {"database": self.database_parts()},
            caller_counts=True,
        )


class MonolithTeacher:
    """Reports to the monolith, each a little further in one video."""

    def __init__(self, segments: int) -> None:
        self._segments = segments
        self._ids = {"teacher_id": str(uuid.uuid4()), "activity_id": str(uuid.uuid4())}
        self._at = itertools.count()

    def report(self) -> Request:
        start = next(self._at) % VIDEO_SECONDS
        # A second apart, as the reports to the gateway are: touching ones would be one range in the table.
        segments = [{"from": start + 2 * i, "to": start + 2 * i + 1} for i in range(self._segments)]
        body = json.dumps({**self._ids, "segments": segments}).encode()
        return Request("POST", "/segments", {"Content-Type": "application/json"}, body, 202)


class UpsertAsker:
    """One connection that upserts rows of its own, one per committed transaction."""

    def __init__(self, url: str, number: int) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS bench_floor (id bigint PRIMARY KEY, total bigint NOT NULL)"
        )
        self._ids = itertools.cycle(range(number * ROWS, (number + 1) * ROWS))

    def ask(self) -> None:
        self._connection.execute(
            "INSERT INTO bench_floor (id, total) VALUES (%s, 1)"
            " ON CONFLICT (id) DO UPDATE SET total = bench_floor.total + 1",
            (next(self._ids),),
            prepare=True,
        )

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def running(
    settings: Settings, environment: Mapping[str, str], names: Sequence[str], concurrency: int
) -> Iterator[Floors]:
    """The floors' programs on this ground. `settings` have the database's real address."""
    with contextlib.ExitStack() as stack:
        common = ground.program_environment(environment, settings)
        programs, addresses = [], {}
        for name, module, arguments in _planned(settings, names):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
            listener.set_inheritable(True)
            addresses[name] = f"http://127.0.0.1:{listener.getsockname()[1]}"
            programs.append(_program(name, module, arguments, listener, common, settings))
        supervisor = Supervisor(programs, lambda _told: None)
        supervisor.start()
        stack.callback(supervisor.stop, 10.0)
        yield Floors(settings, concurrency, supervisor, addresses, lambda: database_pids(settings))


def _planned(settings: Settings, names: Sequence[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name, module, arguments) of each program that the cases need."""
    if HELLO in names:
        yield HELLO, f"{PROGRAMS}.hello", ()
    if settings.embedded:
        yield "in_memory", f"{PROGRAMS}.in_memory", tuple(name for name in (RAW, BUS) if name in names)
        return
    for name, module in ((RAW, "raw"), (BUS, "echo_process"), (STOCK, "stock")):
        if name in names:
            yield name, f"{PROGRAMS}.{module}", ()
    if MONOLITH in names and has_monolith():
        yield MONOLITH, f"{PROGRAMS}.monolith", ()


def has_monolith() -> bool:
    """Whether the packages that the monolith is made of are installed: they belong to development."""
    return all(importlib.util.find_spec(name) for name in ("fastapi", "asyncpg", "uvicorn", "uvloop", "httptools"))


def _program(
    name: str,
    module: str,
    arguments: tuple[str, ...],
    listener: socket.socket,
    common: dict[str, str],
    settings: Settings,
) -> Program:
    number = listener.fileno()
    log = Path(settings.data_dir) / f"bench-{name}.log"
    if name == HELLO and not settings.embedded:
        command = python_module("gunicorn", "--config", str(GUNICORN_SETTINGS), f"{PROGRAMS}.hello:app")
        common = {**common, "YANXIU_GATEWAY_BIND": f"fd://{number}"}
    elif settings.embedded or name == MONOLITH:
        command = python_module(module, str(number), *arguments)
    else:
        command = python_module(module, *arguments)
    return Program(name, command, environment=common, inherited=(number,), log=log)


def database_pids(settings: Settings) -> set[int]:
    """PostgreSQL's processes that work for this ground: the whole embedded server, or the backends of our databases."""
    if not settings.embedded:
        return usage.database(settings.database_prefix)
    return usage.own_database()


def _database_url(settings: Settings) -> str:
    import sqlalchemy as sa

    url = sa.make_url(settings.database_url).set(database=settings.database_name(DATABASE_OF))
    return url.render_as_string(hide_password=False)


def _await_answer(runner: Runner) -> None:
    """Ask until there is an answer: the program may still be starting. Raises the last failure after a minute."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            runner.run(1)
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
