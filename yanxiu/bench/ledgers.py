"""Ledgers of a chosen size: teachers of one province with their season and their declared hours, counted as credits counts."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import sqlalchemy as sa

from services.shared.settings import Settings
from yanxiu.bench import ground

PROVINCE = "CN/450000"  # Guangxi has a pack with a cycle of five years
COUNTIES, SCHOOLS = 20, 50
PER_TEACHER = 50  # entries: five of the season, nine in each year of the cycle
SEASON = 5
YEARS = (2021, 2022, 2023, 2024, 2025)
PROGRAMME = uuid.UUID(int=2023)
CHUNK = 1_000_000
COUNTED = 5000  # teachers at once
NOW = dt.datetime(2023, 7, 1, tzinfo=dt.UTC)

Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Ledger:
    """A database with so many entries, the service over it, and a connection whom no row security binds."""

    settings: Settings
    service: Any
    owner: psycopg.Connection
    entries: int
    teachers: int


@contextlib.contextmanager
def ledger(entries: int, embedded: bool, report: Report) -> Iterator[Ledger]:
    """Removed at the end."""
    with empty_ledger(embedded) as (settings, service, owner):
        began = time.perf_counter()
        teachers = fill(owner, entries)
        count(service, owner)
        owner.execute("VACUUM ANALYZE")
        report(f"{entries:,} entries of {teachers:,} teachers, made in {time.perf_counter() - began:.0f} s")
        yield Ledger(settings, service, owner, entries, teachers)


@contextlib.contextmanager
def empty_ledger(embedded: bool) -> Iterator[tuple[Settings, Any, psycopg.Connection]]:
    """A database of credits with nothing in it, the service over it, and its owner's connection; removed at the end."""
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
        service = instantiate(processes.load_class("credits"), Environment(settings, keyring, lambda: None))
        url = sa.make_url(settings.database_url).set(
            drivername="postgresql", database=settings.database_name("credits")
        )
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
            try:
                yield settings, service, owner
            finally:
                service.database.dispose()


def teacher(number: int) -> str:
    """The id of a teacher, as `fill` makes it: in no order, as registrations are."""
    return f"md5('teacher' || {number})::uuid"


def fill(owner: psycopg.Connection, entries: int) -> int:
    """Placements, standings and entries; returns how many teachers. A teacher's entries lie apart, as years bring them."""
    teachers = max(1, entries // PER_TEACHER)
    place(owner, teachers)
    given: dict[str, Any] = {"teachers": teachers, "province": PROVINCE, "programme": PROGRAMME, "season": SEASON}
    owner.execute(
        """
        INSERT INTO standing (teacher_id, programme_id, version, enrolled_at, hours, courses, courses_done, requirement_met,
            shortfalls, evidence_version, pack_id, pack_version, recorded_at)
        SELECT teacher_id, %(programme)s, 1, now(), 6, '[{"studied_seconds": 9000}]', 5, true, '[]', 5, 'p', 'v', now()
        FROM placement
        """,
        given,
    )
    with _without_indexes(owner, "ledger"):
        _fill_ledger(owner, given)
    return teachers


def place(owner: psycopg.Connection, teachers: int) -> None:
    """Verified teachers, in the counties and schools of the province in turn."""
    owner.execute(
        f"""
        INSERT INTO placement (teacher_id, version, state, place, school_id, school_name, effective_at)
        SELECT md5('teacher' || n)::uuid, 1, 'VERIFIED', %(province)s || '/450100/4501'
            || lpad((n %% {COUNTIES})::text, 2, '0') || '/s' || n / {COUNTIES} %% {SCHOOLS}, gen_random_uuid(), '小学', now()
        FROM generate_series(0, %(teachers)s - 1) AS n
        """,  # noqa: S608  constants of this module
        {"teachers": teachers, "province": PROVINCE},
    )


def _fill_ledger(owner: psycopg.Connection, given: dict[str, Any]) -> None:
    teachers, categories = given["teachers"], _categories()
    for first in range(0, teachers * PER_TEACHER, CHUNK):
        owner.execute(
            f"""
            INSERT INTO ledger (teacher_id, entry_id, source_ref, turn, rule_id, evidence_version, source_kind,
                programme_id, unit, amount, hour_type, training_form, year, effective_on, recorded_at, school_id, place,
                pack_id, pack_version, why)
            SELECT md5('teacher' || who)::uuid, md5('entry' || n)::uuid, 'source:' || nth, 1, 'BENCH', 1,
                CASE WHEN nth < %(season)s THEN 'SEASON' ELSE 'DECLARED' END,
                CASE WHEN nth < %(season)s THEN %(programme)s::uuid END,
                CASE WHEN nth < %(season)s THEN 'HOUR' ELSE 'CREDIT' END,
                CASE WHEN nth = 0 THEN 2 ELSE 1 END,
                '', CASE WHEN nth < %(season)s THEN '' ELSE (%(categories)s::text[])[nth %% %(kinds)s + 1] END,
                2021 + nth %% {len(YEARS)}, make_date(2021 + nth %% {len(YEARS)}, 5, 1), %(recorded)s, NULL,
                %(province)s || '/450100/4501' || lpad((who %% {COUNTIES})::text, 2, '0') || '/s'
                    || who / {COUNTIES} %% {SCHOOLS},
                'bench', 'bench', 'bench'
            FROM (SELECT n, n %% %(teachers)s AS who, n / %(teachers)s AS nth
                  FROM generate_series(%(first)s::int, %(last)s::int) AS n) AS made
            """,  # noqa: S608  constants of this module
            {
                **given,
                "categories": categories,
                "kinds": len(categories),
                "recorded": NOW - dt.timedelta(days=30),
                "first": first,
                "last": min(first + CHUNK, teachers * PER_TEACHER) - 1,
            },
        )


@contextlib.contextmanager
def _without_indexes(owner: psycopg.Connection, table: str) -> Iterator[None]:
    """Indexes and the constraints on them are taken off a table and put back as they were: millions of rows at once write
    each of their pages many times."""
    keys = owner.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u')",
        (table,),
    ).fetchall()
    for name, _ in keys:
        owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    indexes = owner.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass",
        (table,),
    ).fetchall()
    for name, _ in indexes:
        owner.execute(f"DROP INDEX {name}")
    yield
    for name, definition in keys:
        owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        owner.execute(definition.replace(" ON ONLY ", " ON "))  # of all partitions


def _categories() -> list[str]:
    from services.credits import schemes

    scheme = schemes.find_scheme(PROVINCE, YEARS[0])
    assert scheme is not None  # shipped
    return list(scheme.pack.categories)


def count(service: Any, owner: psycopg.Connection) -> None:
    """Count everybody and fold, with what recognition and the job run."""
    from services.credits.statistics import counting

    everybody = [row[0] for row in owner.execute("SELECT teacher_id FROM placement ORDER BY 1").fetchall()]
    for first in range(0, len(everybody), COUNTED):
        with service.database.work() as db:
            counting.count(db, [(each, PROGRAMME) for each in everybody[first : first + COUNTED]], NOW)
    folded = True
    while folded:
        with service.database.work() as db:
            folded = bool(counting.fold(db))
