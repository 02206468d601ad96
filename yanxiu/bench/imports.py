"""A roster of new teachers through a whole job, against COPY: of the roster itself, and of every row that the import leaves.

One runner, in this process, with identity and org over their databases and no bus between: what is asked is what the work
on a row costs. The confined reader of the file is a process of a second's life; its share is told beside the cases.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import random
import resource
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from services.shared.settings import Settings
from yanxiu.bench import floors, ground, results
from yanxiu.bench.cases import BenchError, Case, Report, measure
from yanxiu.bench.results import Finding

GOAL = round(1 / 0.3, 1)  # an import at 0.3 of COPY or faster (`performance.md` S7)
SERVICES = ("identity", "org")
EDITION = 7

Ask = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Outcome:
    mode: str
    teachers: int
    findings: list[Finding]
    goals: list[dict[str, Any]]


class OneByOne:
    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def run(self, count: int) -> list[float]:
        took = []
        for _ in range(count):
            began = time.perf_counter()
            self.ask()
            took.append(time.perf_counter() - began)
        return took

    def close(self) -> None:
        """Its connections are the benchmark's."""


def measure_imports(*, teachers: int, rounds: int, operations: int, embedded: bool, report: Report) -> Outcome:
    """Imports of files with so many new teachers each. Raises BenchError when a row was refused."""
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher
    from yanxiu.local.operator import operator

    with (
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        for service in SERVICES:
            migrate_service(settings, keyring, service)
        with operator(settings) as asks, _owner(settings) as owner:
            asks.load_divisions()
            rosters = Rosters(settings.data_dir, teachers)
            _import(asks, "import_schools", rosters.schools())
            before = _counts(owner)
            _import(asks, "import_teachers", rosters.teachers())
            left = Left.behind(owner, before)
            # Made beforehand: what makes a file is no part of importing it. One round warms up.
            rosters.stock(2 * (rounds + 1) * operations)
            children = resource.getrusage(resource.RUSAGE_CHILDREN)
            cases = [
                _case(settings, "copy_roster", "COPY of the roster", left.copy_roster(owner, rosters)),
                _case(settings, "copy_left", "COPY of all rows left behind", left.copy_all),
                _case(settings, "validate", "upload and validation", lambda: _validate(asks, rosters.take())),
                _case(settings, "import", "the whole import", lambda: _import(asks, "import_teachers", rosters.take())),
            ]
            samples = measure(cases, rounds, operations, report)
            reader = _reader_us(children, rosters.written - teachers)
    findings = results.find(cases, samples, ["copy_roster", "copy_left"])
    return Outcome(settings.mode.value, teachers, findings, _goals(findings, teachers, reader))


class Rosters:
    """Files of invented teachers, none of them twice."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self.written = 0
        self._stock: list[Path] = []

    def stock(self, files: int) -> None:
        self._stock = [self.teachers() for _ in range(files)]

    def take(self) -> Path:
        return self._stock.pop()

    def schools(self) -> Path:
        from yanxiu import samples

        path = self._folder / "schools.xlsx"
        path.write_bytes(samples.schools_xlsx(EDITION))
        return path

    def teachers(self) -> Path:
        from services.org.contract.bulk import TEACHER_COLUMNS
        from services.shared.spreadsheet import write_sheet

        path = self._folder / f"teachers-{self.written}.xlsx"
        write_sheet(path, [column.title for column in TEACHER_COLUMNS], self.rows())
        self.written += self._size
        return path

    def rows(self) -> Iterator[list[str]]:
        from services.org.contract.bulk import TEACHER_COLUMNS
        from yanxiu import samples
        from yanxiu.journey.people import complete_id_no

        schools, chance = samples.schools(EDITION), random.Random(self.written)  # noqa: S311  repeatable, not secret
        for number in range(self.written, self.written + self._size):
            born = dt.date(1963, 1, 1) + dt.timedelta(days=number // 999)
            values = {
                "name": chance.choice(samples.SURNAMES) + chance.choice(samples.GIVEN),
                "id_type": "居民身份证",
                "id_no": complete_id_no(f"440100{born:%Y%m%d}{number % 999 + 1:03d}"),
                "phone": f"197{number:08d}",
                "segment": "小学",
                "subject": "语文",
                "school_code": schools[number % len(schools)]["code"],
            }
            yield [values[column.key] for column in TEACHER_COLUMNS]


def _import(asks: Any, kind: str, path: Path) -> None:
    from yanxiu.local.roster_job import run_roster

    done = run_roster(asks, kind, path, lambda _done, _all: None)
    path.unlink()
    if done.code or done.refused:
        raise BenchError(f"{kind}: {done.code} {done.refused[:3]}")


def _validate(asks: Any, path: Path) -> None:
    """Up to the preview, which nobody starts."""
    from services.org.contract import bulk

    service = asks.open_bulk(bulk.PROCESS)
    file = service.files.store([path.read_bytes()])
    path.unlink()
    opened = asks.tell(bulk.PROCESS, "open_job", {"kind": "import_teachers", "sha256": file.sha256})
    asks.tell(bulk.PROCESS, "attach_file", {"job_id": opened["job_id"], "file": file.to_wire()})
    while service.runner.run_next(uuid.UUID(opened["job_id"])):
        pass
    state = asks.ask(bulk.PROCESS, "get_job", {"job_id": opened["job_id"]})["state"]
    if state != "READY":
        raise BenchError(f"validation ended {state}")


# --- floors -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _owner(settings: Settings) -> Iterator[dict[str, psycopg.Connection]]:
    """Connections whom no row security binds, by service."""
    with contextlib.ExitStack() as stack:
        yield {
            service: stack.enter_context(
                psycopg.connect(
                    sa.make_url(settings.database_url)
                    .set(database=settings.database_name(service), drivername="postgresql")
                    .render_as_string(hide_password=False),
                    autocommit=True,
                )
            )
            for service in SERVICES
        }


def _counts(owner: dict[str, psycopg.Connection]) -> dict[tuple[str, str], int]:
    """Rows of every table of both services."""
    found = {}
    for service, connection in owner.items():
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            found[service, table] = count[0] if count else 0
    return found


@dataclasses.dataclass
class Left:
    """What one import has left in each table that grew: (connection, empty copy of the table, COPY command, its data)."""

    parts: list[tuple[psycopg.Connection, sql.Identifier, sql.Composed, bytes]]

    @classmethod
    def behind(cls, owner: dict[str, psycopg.Connection], before: dict[tuple[str, str], int]) -> Left:
        parts = []
        for (service, table), count in _counts(owner).items():
            grown = count - before.get((service, table), 0)
            if grown > 0:
                parts.append(_copied(owner[service], table, grown))
        return cls(parts)

    def copy_all(self) -> None:
        for connection, table, command, data in self.parts:
            connection.execute(sql.SQL("TRUNCATE {}").format(table))
            with connection.cursor().copy(command) as copy:
                copy.write(data)

    def copy_roster(self, owner: dict[str, psycopg.Connection], rosters: Rosters) -> Ask:
        connection = owner["org"]
        connection.execute(
            "CREATE TABLE bench_roster (number int PRIMARY KEY, a text, b text, c text, d text, e text, f text, g text)"
        )
        lines = ["\t".join([str(number), *cells]) for number, cells in enumerate(rosters.rows())]
        data = ("\n".join(lines) + "\n").encode()

        def ask() -> None:
            connection.execute("TRUNCATE bench_roster")
            with connection.cursor().copy("COPY bench_roster FROM STDIN") as copy:
                copy.write(data)

        return ask


def _copied(
    connection: psycopg.Connection, table: str, rows: int
) -> tuple[psycopg.Connection, sql.Identifier, sql.Composed, bytes]:
    """An empty table with the same columns and indexes, and the newest rows of `table` as COPY takes them."""
    names = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
    copied, original = sql.Identifier(f"bench_{table}"), sql.Identifier(table)
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(copied, original))
    newest = sql.SQL("COPY (SELECT {} FROM {} ORDER BY ctid DESC LIMIT {}) TO STDOUT").format(
        columns, original, sql.Literal(rows)
    )
    with connection.cursor().copy(newest) as copy:
        data = b"".join(bytes(block) for block in copy)
    return connection, copied, sql.SQL("COPY {} ({}) FROM STDIN").format(copied, columns), data


# --- results ----------------------------------------------------------------------------------------------------------------


def _case(settings: Settings, name: str, told: str, ask: Ask) -> Case:
    return Case(name, told, OneByOne(ask), lambda: {"database": floors.database_pids(settings)}, caller_counts=True)


def _reader_us(before: resource.struct_rusage, rows: int) -> float:
    """Microseconds per row of the processes that read the files."""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used * 1e6 / max(1, rows)


def _goals(findings: list[Finding], teachers: int, reader_us: float) -> list[dict[str, Any]]:
    found = {finding.name: finding for finding in findings}

    def times(name: str, floor: str) -> float:
        return found[name].cpu_us / found[floor].cpu_us

    def rows(name: str) -> int:
        return round(found[name].rate * teachers)

    return [
        _told("import_of_left", "import / COPY of all rows that it leaves", times("import", "copy_left"), "×", GOAL),
        _told("import_of_roster", "import / COPY of the roster", times("import", "copy_roster"), "×"),
        _told("validate_of_roster", "validation / COPY of the roster", times("validate", "copy_roster"), "×"),
        _told("import_rows", "teachers imported", rows("import"), "a second"),
        _told("validate_rows", "rows validated", rows("validate"), "a second"),
        _told("copy_left_rows", "teachers whose rows COPY writes", rows("copy_left"), "a second"),
        _told("copy_roster_rows", "rows of the roster that COPY writes", rows("copy_roster"), "a second"),
        _told("reader", "the file's reader, beside the above", round(reader_us), "µs a row"),
    ]


def _told(name: str, told: str, found: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"name": name, "told": told, "found": found, "unit": unit, "goal": goal}
