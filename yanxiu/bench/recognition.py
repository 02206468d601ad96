"""Course events recognised by the batch, against what cannot be spared: receiving them, evaluating the pack, and a bare
UNNEST insert of every row that recognition leaves.

One consumer, in this process, over the database: bodies as they come from a queue, in batches of five hundred in which each
teacher stands once, as on a season's evening. The broker's own share is left out on both sides.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from services.shared.settings import Settings
from yanxiu.bench import evenings, figures, floors, ground, results
from yanxiu.bench.cases import BenchError, Case, Report, Sample, measure
from yanxiu.bench.evenings import Told
from yanxiu.bench.results import Finding

BATCH = 500  # what the consumer takes at most
SCHOOLS = 40
COUNTY = "CN/440000/440100/440103"
GOAL = 2.0
METHOD = "record_progress"
RECOGNISE, RECEIVE, EVALUATE, INSERT, LEDGER = "recognise", "receive", "evaluate", "insert", "ledger"
PARTS = (RECEIVE, EVALUATE, INSERT)
# What recognition writes; `inbox` belongs to receiving.
TABLES = ("evidence", "ledger", "standing", "counted", "statistic_delta", "outbox")

Act = Callable[[Sequence[Any]], None]


@dataclasses.dataclass(frozen=True)
class Outcome:
    mode: str
    findings: list[Finding]
    goals: list[dict[str, Any]]


class ByTheBatch:
    """Acts on what was made ready for this turn, batch by batch; returns how long each event took."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self.ready: Sequence[Any] = ()
        self.done: list[Any] = []

    def run(self, count: int) -> list[float]:
        took = []
        for first in range(0, min(count, len(self.ready)), BATCH):
            batch = self.ready[first : first + BATCH]
            began = time.perf_counter()
            self._act(batch)
            took += [(time.perf_counter() - began) / len(batch)] * len(batch)
        self.done += self.ready[: len(took)]
        return took

    def close(self) -> None:
        """Its connections are the benchmark's."""


def measure_recognition(*, rounds: int, operations: int, embedded: bool, report: Report) -> Outcome:
    """`operations` events in each round. Raises BenchError when hours, standings or totals are not what they must be."""
    from services.shared.bus.providers import Environment, instantiate
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher, processes

    with (
        # The broker has no part in this.
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "credits")
        service = instantiate(processes.load_class("credits-recognition"), Environment(settings, keyring, lambda: None))
        with owner_of(settings) as owner:
            bench = Bench(settings, service, owner, operations)
            samples = measure(bench.cases(), rounds, operations, report, lambda: bench.prepare(operations))
            bench.require_truth()
            findings = results.find(bench.cases(), samples, PARTS)
        service.database.dispose()
    return Outcome(settings.mode.value, findings, _goals(samples))


class Bench:
    """The cases over one database, each with events of its own in each turn."""

    def __init__(self, settings: Settings, service: Any, owner: psycopg.Connection, events: int) -> None:
        self._settings = settings
        self._service = service
        self._owner = owner
        season = evenings.programme()
        self._evenings = evenings.Evenings(season)
        self._deliver(service, "on_programme_published", published(season))
        self._recognise = ByTheBatch(consume(service, service))
        # The first evening leaves the rows that the bare insert writes.
        self._recognise.ready = self._evening(events)
        self._recognise.run(events)
        self._left = Left(owner, -(-events // BATCH))
        self._receive = ByTheBatch(consume(service, _Nothing(service.name)))
        self._evaluate = ByTheBatch(Evaluator(season).evaluate)
        self._insert = ByTheBatch(self._left.insert)
        self._ledger = ByTheBatch(self._left.insert_entries)
        self._runners = {
            RECEIVE: ("receiving: decode, inbox, commit", self._receive),
            EVALUATE: ("evaluating the pack", self._evaluate),
            INSERT: ("bare UNNEST insert of all rows left", self._insert),
            LEDGER: ("bare UNNEST insert of the entries alone", self._ledger),
            RECOGNISE: ("recognition", self._recognise),
        }

    def cases(self) -> list[Case]:
        def parts() -> dict[str, set[int]]:
            return {"database": floors.database_pids(self._settings)}

        return [Case(name, told, runner, parts, caller_counts=True) for name, (told, runner) in self._runners.items()]

    def prepare(self, events: int) -> None:
        """Teachers and events for the next round; what makes them is no part of recognising them."""
        for runner in (self._receive, self._evaluate, self._recognise):
            runner.ready = self._evening(events)
        self._left.clear()
        # So many events' rows, whosever they are.
        self._insert.ready = self._ledger.ready = self._evaluate.ready
        self._owner.execute("ANALYZE")

    def require_truth(self) -> None:
        """Raises BenchError unless ledger, standings and totals are what was studied, also after hearing it again."""
        due: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
        for told in self._recognise.done:
            due[told.teacher_id] += told.study.hours
        again = ByTheBatch(consume(self._service, self._service))
        again.ready = [evenings.retold(told) for told in self._recognise.done[-BATCH:]]
        again.run(BATCH)
        for table, column in (("ledger", "amount"), ("standing", "hours")):
            rows = self._owner.execute(f"SELECT teacher_id, sum({column}) FROM {table} GROUP BY 1").fetchall()  # noqa: S608
            found: dict[uuid.UUID, Decimal] = defaultdict(Decimal, rows)
            if any(found[teacher_id] != hours for teacher_id, hours in due.items()) or len(found) > len(due):
                raise BenchError(f"{table} and what was studied differ")
        [deltas] = self._owner.execute("SELECT sum(hours), sum(enrolled) FROM statistic_delta").fetchall()
        if deltas != (sum(due.values()), 0):
            raise BenchError(f"statistics hold {deltas[0]} hours, {sum(due.values())} were earned")

    def _evening(self, events: int) -> list[Told]:
        """New teachers, already at their schools, with their events."""
        told = self._evenings.make(events)
        self._owner.execute(
            "INSERT INTO placement (teacher_id, version, state, place, school_id, school_name, effective_at)"
            " SELECT id, 1, 'VERIFIED', %s || '/s' || n %% %s, gen_random_uuid(), '实验小学', now()"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS new (id, n)",
            (COUNTY, SCHOOLS, list({one.teacher_id for one in told})),
        )
        return told

    @staticmethod
    def _deliver(service: Any, method: str, event: Any) -> None:
        from services.shared.bus import dispatch

        dispatch.apply_event(service.database, service, method, event)


class _Nothing:
    """Takes the same events and does nothing with them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def record_progress(self, db: Any, messages: Sequence[Any]) -> None:
        for message in messages:
            message.event()


def consume(service: Any, consumer: Any) -> Act:
    """Bodies through the collector of the consuming process to a commit and their acknowledgement."""
    from services.shared.bus.calls import MARKER
    from services.shared.bus.handling import Collector

    spawned: list[Callable[[Any], None]] = []
    host: Any = SimpleNamespace(
        name=service.name, database=service.database, container=SimpleNamespace(spawn_job=spawned.append)
    )
    marker = getattr(type(service).record_progress, MARKER)

    def consume(batch: Sequence[Told]) -> None:
        # Full as it is, so that it neither waits nor is cut.
        collector = Collector(host, METHOD, dataclasses.replace(marker, max_messages=len(batch), max_wait_seconds=60))
        deliveries: list[Any] = [_Delivery(told.body) for told in batch]
        for delivery in deliveries:
            collector.on_delivery(delivery)
        spawned.pop()(consumer)
        if not all(delivery.acknowledged for delivery in deliveries):
            raise BenchError("an event was refused")

    return consume


class _Delivery:
    """A message of a queue, as the collector sees it."""

    def __init__(self, body: bytes) -> None:
        self.message = SimpleNamespace(body=body, properties={})
        self.acknowledged = False

    def acknowledge(self) -> None:
        self.acknowledged = True

    def refuse(self) -> None:
        """What was refused was not acknowledged."""

    give_back = refuse


class Evaluator:
    """Evaluates the pack on all that a teacher has studied, at each of her events; the engine's evidence is made before."""

    def __init__(self, season: dict[str, Any]) -> None:
        from services.credits import pack_files

        self._pack = pack_files.load_season_pack(season["rule_pack"])
        self._studied: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
        self._videos: dict[int, Any] = {}

    def evaluate(self, batch: Sequence[Told]) -> None:
        from services.credits.rules import evaluate

        for told in batch:
            studied = self._studied[told.teacher_id]
            studied[told.course] = self._videos_of(told)
            evaluate(self._pack, studied)

    def _videos_of(self, told: Told) -> Any:
        from services.credits import study_evidence

        # Few ways to study are shared by all: each is made into evidence once.
        if (key := id(told.study)) not in self._videos:
            self._videos[key] = study_evidence.videos_of(told.study.videos)
        return self._videos[key]


class Left:
    """Every row that recognition left, and their insert into tables of the same columns and indexes, nothing else."""

    def __init__(self, owner: psycopg.Connection, batches: int) -> None:
        self._owner = owner
        self._tables = [_Table(owner, name, name, batches) for name in TABLES]
        self._entries = [_Table(owner, "ledger", "entries", batches)]
        self._turns = {INSERT: 0, LEDGER: 0}

    def clear(self) -> None:
        self._turns = dict.fromkeys(self._turns, 0)
        for table in (*self._tables, *self._entries):
            self._owner.execute(sql.SQL("TRUNCATE {}").format(table.copy))

    def insert(self, _batch: Sequence[Told]) -> None:
        self._insert(INSERT, self._tables)

    def insert_entries(self, _batch: Sequence[Told]) -> None:
        self._insert(LEDGER, self._entries)

    def _insert(self, case: str, tables: Sequence[_Table]) -> None:
        with self._owner.transaction():
            for table in tables:
                if rows := table.parts[self._turns[case]]:
                    self._owner.execute(table.statement, [list(column) for column in zip(*rows, strict=True)])
        self._turns[case] += 1


class _Table:
    def __init__(self, owner: psycopg.Connection, name: str, copy: str, batches: int) -> None:
        self.copy = sql.Identifier(f"bench_{copy}")
        owner.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(self.copy, sql.Identifier(name)))
        columns = owner.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum",
            (name,),
        ).fetchall()
        names = sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns)
        # As text: what a caller sends, whatever it is made of.
        shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column, _ in columns)
        rows = owner.execute(sql.SQL("SELECT {} FROM {} ORDER BY ctid").format(shown, sql.Identifier(name))).fetchall()
        arrays = sql.SQL(", ").join(sql.SQL(f"%s::{kind}[]") for _, kind in columns)
        self.statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({})").format(self.copy, names, arrays)
        self.parts = [rows[turn * len(rows) // batches : (turn + 1) * len(rows) // batches] for turn in range(batches)]


@contextlib.contextmanager
def owner_of(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection whom no row security binds."""
    url = sa.make_url(settings.database_url).set(drivername="postgresql", database=settings.database_name("credits"))
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def published(season: dict[str, Any]) -> Any:
    from services.catalog import contract
    from services.shared.bus import Event
    from services.shared.ids import new_id

    return Event(new_id(), contract.PROGRAMME_PUBLISHED, new_id(), dt.datetime.now(dt.UTC), {**season, "version": 1})


def _goals(samples: dict[str, list[Sample]]) -> list[dict[str, Any]]:
    return [
        _goal("recognition", "recognition / (receiving + evaluation + insert of all rows left)", samples, PARTS, GOAL),
        _goal(
            "to_entries",
            "recognition / (receiving + evaluation + insert of the entries alone)",
            samples,
            (RECEIVE, EVALUATE, LEDGER),
            None,
        ),
    ]


def _goal(
    name: str, told: str, samples: dict[str, list[Sample]], parts: Sequence[str], goal: float | None
) -> dict[str, Any]:
    turns = zip(*(samples[part] for part in parts), strict=True)
    floor = [sum(sample.total_us for sample in turn) for turn in turns]
    ratio = figures.paired_ratio([sample.total_us for sample in samples[RECOGNISE]], floor)
    assert ratio is not None  # nothing takes no time at all
    found = {"found": round(ratio.value, 2), "low": round(ratio.low, 2), "high": round(ratio.high, 2)}
    return {"name": name, "told": told, **found, "unit": "×", "goal": goal}
