"""Activation progress of a province and of the country, read as their administrators read it: the kept counts, at a
hundredth of the country's schools and at all of them, against one bare SELECT by primary key and against counting.

One caller, in this process, cases in turns: what is asked is whether reading grows with the table. Nothing here goes over
the bus.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import sqlalchemy as sa

from services.shared.settings import Settings
from yanxiu.bench import figures, ground, machine
from yanxiu.bench.cases import BenchError

NATION, PROVINCE = "CN", "CN/440000"
SCHOOLS = 470_000  # `domain.md` §5.1
SHARE = 100  # the smaller table: one school in so many
# Changes that are not folded yet: what ten seconds of a busy day leave, 476,000 activations in a fortnight's working hours
# being one in a second.
PENDING = 1000
GOAL_GROWTH = 1.2  # a hundred times as many seats, against few
GOAL_COUNTING = 0.2  # reading the counts, against counting the seats
OUR_SECONDS = 30.0
COUNTS = "level, role, expected, generated, activated, disabled"

Report = Callable[[str], None]
Ask = Callable[[], int]


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    told: str
    ask: Ask


def measure_activation(schools: int, rounds: int, operations: int, embedded: bool, report: Report) -> dict[str, Any]:
    """Reading at both sizes in turns, and how fast changes are folded, as JSON can hold it.

    Raises BenchError when what is read is not what the seats add up to.
    """
    fewer = max(1, schools // SHARE)
    with _country(fewer, embedded, report) as few, _country(schools, embedded, report) as many:
        cases = [*_cases("few", f"{fewer:,} schools", few), *_cases("many", f"{schools:,} schools", many)]
        samples = _turns(cases, rounds, operations, report)
        leave_pending(many.bare)
        pending = [Case("pending", f"province, {PENDING} changes not folded", _ours(many.service, PROVINCE))]
        samples |= _turns(pending, rounds, operations, report)
    return {
        "bench": "activation",
        "schools": schools,
        "rounds": rounds,
        "operations": operations,
        "milliseconds": {name: round(statistics.median(taken) * 1000, 3) for name, taken in samples.items()},
        "folded_per_second": round(many.folded_per_second),
        "goals": [
            _goal(
                "growth",
                f"province at {schools:,} schools / at {fewer:,}",
                samples["many_province"],
                samples["few_province"],
                GOAL_GROWTH,
            ),
            _goal(
                "counting",
                f"country at {schools:,} schools: progress / counting",
                samples["many_nation"],
                samples["many_nation_counted"],
                GOAL_COUNTING,
            ),
        ],
        "machine": machine.facts(),
    }


@dataclasses.dataclass(frozen=True)
class Country:
    service: Any
    bare: psycopg.Connection
    folded_per_second: float


@contextlib.contextmanager
def _country(schools: int, embedded: bool, report: Report) -> Iterator[Country]:
    """A database of its own with so many schools, every change folded."""
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher

    with (
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "org")
        with _operator(settings, keyring) as operator, _bare(settings) as bare:
            operator.load_divisions()
            service = operator.open("org")
            fill(bare, schools)
            began, folded = time.perf_counter(), _fold_all(service)
            took = time.perf_counter() - began
            bare.execute("VACUUM ANALYZE")
            report(f"{schools:,} schools; {folded:,} changes folded in {took:.1f} s")
            yield Country(service, bare, folded / took)


def _cases(size: str, told: str, country: Country) -> list[Case]:
    """The same counts in three ways, for the province and for the country."""
    cases = []
    for name, place in (("province", PROVINCE), ("nation", NATION)):
        three = [
            Case(f"{size}_{name}", f"{told}: progress of the {name}", _ours(country.service, place)),
            Case(f"{size}_{name}_by_key", f"{told}: one bare SELECT by primary key", _by_key(country.bare, place)),
            Case(f"{size}_{name}_counted", f"{told}: counting the seats", _counting(country.bare, place)),
        ]
        found = {case.ask() for case in three}
        if len(found) != 1:
            raise BenchError(f"the {name} has {found} seats, by how they are read")
        cases += three
    return cases


def fill(bare: psycopg.Connection, schools: int) -> None:
    """Seats for so many schools all over the country, each told by a delta, as an import would."""
    bare.execute(
        """
        WITH county AS (
            SELECT place, row_number() OVER (ORDER BY code) - 1 AS number, count(*) OVER () AS counties
            FROM division WHERE leaf AND level <> 'PROVINCE'),
        made AS (
            INSERT INTO admin_seat (place, role, level, parent, standing, state, changed_at)
            SELECT county.place || '/s' || md5(n::text), 'SCHOOL_ADMIN', 'SCHOOL', county.place, true,
                (ARRAY['NOT_GENERATED', 'GENERATED', 'ACTIVATED', 'ACTIVATED', 'DISABLED'])[n %% 5 + 1], now()
            FROM generate_series(1, %(schools)s::int) AS n JOIN county ON county.number = n %% county.counties
            RETURNING place, level, role, state)
        INSERT INTO activation_delta (delta_id, place, level, role, expected, generated, activated, disabled)
        SELECT gen_random_uuid(), place, level, role, 1, (state = 'GENERATED')::int, (state = 'ACTIVATED')::int,
            (state = 'DISABLED')::int FROM made
        """,
        {"schools": schools},
    )


def leave_pending(bare: psycopg.Connection) -> None:
    """Changes of the province that nobody has folded yet: codes on their way to some of its schools."""
    bare.execute(
        """
        WITH changed AS (
            UPDATE admin_seat SET state = 'GENERATED' WHERE (place, role) IN (
                SELECT place, role FROM admin_seat WHERE place > %(low)s AND place < %(high)s AND level = 'SCHOOL'
                AND state = 'NOT_GENERATED' LIMIT %(pending)s) RETURNING place, level, role)
        INSERT INTO activation_delta (delta_id, place, level, role, expected, generated, activated, disabled)
        SELECT gen_random_uuid(), place, level, role, 0, 1, 0, 0 FROM changed
        """,
        {**_below(PROVINCE), "pending": PENDING},
    )


def _fold_all(service: Any) -> int:
    from services.org.delegation.actions import seats

    folded = 0
    while True:
        with service.database.work() as db:
            taken = seats.fold_deltas(db, 20_000)
        if not taken:
            return folded
        folded += taken


def _ours(service: Any, place: str) -> Ask:
    from services.shared.actor import Actor, Grant, Kind, Role
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    admin = Actor(
        kind=Kind.PERSON,
        account_id=new_id(),
        identity="TEACHER",
        grants=(Grant(Role.NATIONAL_OPERATOR if place == NATION else Role.PROVINCE_ADMIN, place),),
        session_id=new_id(),
        address="127.0.0.1",
    )

    def ask() -> int:
        deadline = time.monotonic() + OUR_SECONDS
        told = dispatch.run_method(service, "get_activation_progress", {"place": place}, admin, deadline=deadline)
        return sum(tally["expected"] for tally in told["tallies"])

    return ask


def _by_key(bare: psycopg.Connection, place: str) -> Ask:
    def ask() -> int:
        statement = f"SELECT {COUNTS} FROM activation_count WHERE place = %(place)s"  # noqa: S608  constants
        rows = bare.execute(statement, {"place": place}, prepare=True).fetchall()
        return sum(row[2] for row in rows)

    return ask


def _counting(bare: psycopg.Connection, place: str) -> Ask:
    def ask() -> int:
        rows = bare.execute(
            "SELECT level, role, count(*), count(*) FILTER (WHERE state = 'GENERATED'),"
            " count(*) FILTER (WHERE state = 'ACTIVATED'), count(*) FILTER (WHERE state = 'DISABLED') FROM admin_seat"
            " WHERE standing AND (place = %(place)s OR (place > %(low)s AND place < %(high)s)) GROUP BY level, role",
            {"place": place, **_below(place)},
            prepare=True,
        ).fetchall()
        return sum(row[2] for row in rows)

    return ask


def _below(place: str) -> dict[str, str]:
    return {"low": f"{place}/", "high": f"{place}0"}


@contextlib.contextmanager
def _operator(settings: Settings, keyring: Any) -> Iterator[Any]:
    from yanxiu.local.operator import Operator

    operator = Operator(settings, keyring)
    try:
        yield operator
    finally:
        operator.close()


@contextlib.contextmanager
def _bare(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection without row security, transactions or anything else between it and the rows."""
    url = sa.make_url(settings.database_url).set(database=settings.database_name("org"), drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def _turns(cases: list[Case], rounds: int, operations: int, report: Report) -> dict[str, list[float]]:
    """Median seconds of each case in each round; the direction of a round alternates, as the machine grows slower."""
    samples: dict[str, list[float]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            taken = []
            for _ in range(operations):
                began = time.perf_counter()
                case.ask()
                taken.append(time.perf_counter() - began)
            samples[case.name].append(statistics.median(taken))
        report(f"round {number + 1} of {rounds}")
    return samples


def _goal(name: str, told: str, above: list[float], below: list[float], goal: float) -> dict[str, Any]:
    ratio = figures.paired_ratio(above, below)
    assert ratio is not None  # nothing takes no time at all
    row = {"name": name, "told": told, "found": round(ratio.value, 2), "unit": "×", "goal": goal}
    return {**row, "low": round(ratio.low, 2), "high": round(ratio.high, 2), "met": ratio.value <= goal}
