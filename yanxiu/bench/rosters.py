"""An administrator's lists over a province of a million teachers, against the same pages read by bare SELECTs.

One caller, in this process, straight on the service: what is asked here is whether the work grows with the table, and what
rights, row security and the reply's form cost on top of the rows. Nothing goes over the bus.
"""

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
from yanxiu.bench import floors, ground, results
from yanxiu.bench.cases import Alone, BenchError, Case, Report, measure
from yanxiu.bench.results import Finding

PROVINCE = "CN/440000"
AT_A_SCHOOL = 40  # 18.851 million teachers in 470,000 schools (`domain.md` §5.1)
PAGE = 50
GOAL_LAST = 1.2  # last page against the first
GOAL_BARE = 3.0  # any page against a bare indexed SELECT of the same rows
OUR_SECONDS = 30.0
# How the rows differ: one in fifty waits, one in twenty is archived, one in thirty-three was released.
STATES = """
    CASE WHEN n % 33 = 0 THEN 'RELEASED' WHEN n % 50 = 0 THEN 'PENDING' ELSE 'VERIFIED' END AS state,
    CASE WHEN n % 20 = 1 THEN 'RETIRED' ELSE 'ON_DUTY' END AS employment
"""
COLUMNS = """
    m.teacher_id, m.school_id, s.name, m.place, m.state, m.employment, m.employment_at, m.version, m.changed_at
    FROM membership m JOIN school s ON s.school_id = m.school_id
"""

Ask = Callable[[], list[Any]]


@dataclasses.dataclass(frozen=True)
class Filter:
    """One list: what is asked of the service, and the condition that the bare SELECT has for it."""

    name: str
    told: str
    arguments: dict[str, Any]
    condition: str

    @property
    def first(self) -> str:
        return f"{self.name}_first"

    @property
    def last(self) -> str:
        return f"{self.name}_last"

    @property
    def bare(self) -> str:
        return f"{self.name}_bare"


FILTERS = (
    Filter("present", "present teachers", {}, "m.present"),
    Filter("waiting", "those who wait", {"state": "PENDING"}, "m.state = 'PENDING' AND m.employment = 'ON_DUTY'"),
    Filter(
        "archived",
        "the retired",
        {"employment": "RETIRED"},
        "m.state IN ('PENDING', 'VERIFIED') AND m.employment = 'RETIRED'",
    ),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run found, and how that stands to the goals."""

    mode: str
    teachers: int
    findings: list[Finding]
    goals: list[dict[str, Any]]


def measure_rosters(*, teachers: int, rounds: int, operations: int, embedded: bool, report: Report) -> Outcome:
    """The lists of a province with `teachers`. Raises BenchError when a page holds other rows than the SELECT."""
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher

    with (
        # The broker has no part in this.
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "org")
        with _operator(settings, keyring) as operator, _bare(settings) as bare:
            operator.load_divisions()
            made = fill(settings, teachers)
            operator.open("org").fold_staff_counts(dt.datetime.now(dt.UTC))
            settle(settings)
            cases = [case for each in FILTERS for case in _cases(settings, operator, bare, each)]
            cases.append(_counts(settings, operator))
            samples = measure(cases, rounds, operations, report)
    findings = results.find(cases, samples, [name for each in FILTERS for name in (each.bare, each.first)])
    return Outcome(settings.mode.value, made, findings, _goals(findings))


def fill(settings: Settings, teachers: int) -> int:
    """Schools and memberships in one province, as an administrator whom no row security binds; returns how many."""
    from services.org.models import School

    engine = sa.create_engine(
        sa.make_url(settings.database_url).set(drivername="postgresql+psycopg", database=settings.database_name("org"))
    )
    schools = max(1, teachers // AT_A_SCHOOL)
    with engine.begin() as connection:
        counties = connection.execute(
            sa.text("SELECT code, place FROM division WHERE leaf AND starts_with(place, :province || '/') ORDER BY 1"),
            {"province": PROVINCE},
        ).all()
        rows = [_school(number, *counties[number % len(counties)]) for number in range(schools)]
        connection.execute(sa.insert(School), rows)
        connection.execute(
            sa.text(f"""
                INSERT INTO membership (teacher_id, school_id, place, state, reason, version, changed_at,
                                        employment, employment_version, employment_at)
                SELECT gen_random_uuid(), school_id, place, state, '', 1, now(), employment, 0, now()
                FROM (SELECT school_id, place, {STATES}
                      FROM (SELECT school_id, place, row_number() OVER () AS n
                            FROM school CROSS JOIN generate_series(1, {AT_A_SCHOOL}) WHERE NOT other) AS numbered) AS made
                ORDER BY random()  -- teachers register in any order, and so their rows lie on the disk
            """)  # noqa: S608  constants of this module
        )
        made: int = connection.execute(sa.text("SELECT count(*) FROM membership")).scalar_one()
    engine.dispose()
    return made


def settle(settings: Settings) -> None:
    """What autovacuum does within a minute or two after so much has changed."""
    url = sa.make_url(settings.database_url).set(database=settings.database_name("org"), drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _school(number: int, code: str, parent: str) -> dict[str, Any]:
    from services.org.rules.schools import place_of_school
    from services.shared.search_tokens import tokens_of

    school_id, name = uuid.uuid4(), f"第{number}小学"
    now = dt.datetime.now(dt.UTC)
    return {
        "school_id": school_id,
        "place": place_of_school(parent, school_id),
        "parent": parent,
        "division_code": code,
        "name": name,
        "name_tokens": tokens_of(name),
        "kind": "BASIC_EDUCATION",
        "attachment": "COUNTY",
        "school_type": "PRIMARY",
        "nature": "PUBLIC",
        "town": "街道",
        "other": False,
        "state": "ACTIVE",
        "version": 1,
        "created_at": now,
        "changed_at": now,
    }


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


def _cases(settings: Settings, operator: Any, bare: psycopg.Connection, wanted: Filter) -> list[Case]:
    """First and last page of a list, and the SELECT of the last; each holds the rows that it should."""
    found = bare.execute(
        f"SELECT m.place, m.teacher_id FROM membership m WHERE m.place > %(low)s AND m.place < %(high)s"  # noqa: S608
        f" AND {wanted.condition} ORDER BY m.place DESC, m.teacher_id DESC LIMIT {PAGE + 1}",
        _below(PROVINCE),
    ).fetchall()
    place, teacher_id = found[-1]
    first = _ours(operator, wanted, None)
    last, select = _ours(operator, wanted, f"{place} {teacher_id}"), _select(bare, wanted, found[-1])
    if last() != [str(row[1]) for row in reversed(found[:-1])] or select() != last() or len(first()) != PAGE:
        raise BenchError(f"{wanted.told}: the service shows other rows than the SELECT")
    return [
        _case(settings, wanted.first, f"{wanted.told}, first page", first),
        _case(settings, wanted.last, f"{wanted.told}, last page", last),
        _case(settings, wanted.bare, f"{wanted.told}, bare SELECT", select),
    ]


def _case(settings: Settings, name: str, told: str, ask: Ask) -> Case:
    return Case(name, told, Alone(ask), lambda: {"database": floors.database_pids(settings)}, caller_counts=True)


def _ours(operator: Any, wanted: Filter, cursor: str | None) -> Ask:
    from services.shared.actor import Actor, Grant, Kind, Role
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    service = operator.open("org")
    admin = Actor(
        kind=Kind.PERSON,
        account_id=new_id(),
        identity="TEACHER",
        grants=(Grant(Role.PROVINCE_ADMIN, PROVINCE),),
        session_id=new_id(),
        address="127.0.0.1",
    )
    arguments = {"place": PROVINCE, "limit": PAGE, "cursor": cursor, **wanted.arguments}

    def ask() -> list[Any]:
        deadline = time.monotonic() + OUR_SECONDS
        page = dispatch.run_method(service, "list_teachers", arguments, admin, deadline=deadline)
        return [item["teacher_id"] for item in page["items"]]

    return ask


def _select(bare: psycopg.Connection, wanted: Filter, after: tuple[str, uuid.UUID]) -> Ask:
    """The same rows, with the look at one more that tells whether there is a next page."""
    values = {"at": after[0], "teacher": after[1], "high": _below(PROVINCE)["high"]}
    statement = (
        f"SELECT {COLUMNS} WHERE (m.place, m.teacher_id) > (%(at)s, %(teacher)s) AND m.place < %(high)s"
        f" AND {wanted.condition} ORDER BY m.place, m.teacher_id LIMIT {PAGE + 1}"
    )

    def ask() -> list[Any]:
        rows = bare.execute(statement, values, prepare=True).fetchall()
        return [str(row[0]) for row in rows[:PAGE]]

    return ask


def _counts(settings: Settings, operator: Any) -> Case:
    from services.shared.actor import Actor, Grant, Kind, Role
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    service = operator.open("org")
    admin = Actor(Kind.PERSON, new_id(), "TEACHER", (Grant(Role.PROVINCE_ADMIN, PROVINCE),), new_id())

    def ask() -> list[Any]:
        return [dispatch.run_method(service, "get_staff_counts", {"place": PROVINCE}, admin)["teachers"]]

    return _case(settings, "counts", "teachers of the province, counted", ask)


def _below(place: str) -> dict[str, str]:
    return {"low": f"{place}/", "high": f"{place}0"}


def _goals(findings: list[Finding]) -> list[dict[str, Any]]:
    by_name = {finding.name: finding for finding in findings}
    goals = []
    for wanted in FILTERS:
        last = by_name[wanted.last]
        goals += [
            _goal(f"{wanted.last}_to_first", f"{wanted.told}: last page / first page", last, wanted.first, GOAL_LAST),
            _goal(f"{wanted.last}_to_bare", f"{wanted.told}: last page / bare SELECT", last, wanted.bare, GOAL_BARE),
        ]
    return goals


def _goal(name: str, told: str, finding: Finding, against: str, goal: float) -> dict[str, Any]:
    ratio = finding.ratios[against]
    assert ratio is not None  # nothing takes no time at all
    return {"name": name, "told": told, "found": round(ratio.value, 2), "unit": "×", "goal": goal}
