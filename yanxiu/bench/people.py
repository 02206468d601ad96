"""People searched for by name among a million, against the same pages read by bare SELECTs.

One caller, in this process, cases in turns: what is asked here is whether the work grows with the table, and what row
security, opening sealed names and masking them cost on top of the rows: CPU time of this process and of PostgreSQL
together. Nothing here goes over the bus.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from services.shared.settings import Settings
from yanxiu.bench import figures, floors, ground, results
from yanxiu.bench.cases import Alone, BenchError, Case, Report, Sample, measure
from yanxiu.bench.results import Finding

PROVINCE, COUNTY = "CN/440000", "CN/440000/440100/440103"
COUNTIES = 100
NAME = "王伟"
NAMESAKES = 1000  # one in a thousand bears the most frequent name; a million teachers are a large province
PAGE = 50
FIRST, LAST, BARE_FIRST, BARE_LAST = "first", "last", "bare_first", "bare_last"
GOAL_LAST = 1.2  # last page against the first
GOAL_BARE = 3.0  # any page against a bare indexed SELECT of the same rows

Ask = Callable[[], list[str]]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run found, and how that stands to the goals."""

    mode: str
    findings: list[Finding]
    goals: list[dict[str, Any]]


def measure_people(*, people: int, rounds: int, operations: int, embedded: bool, report: Report) -> Outcome:
    """Searches among `people`. Raises BenchError when a page holds other rows."""
    from services.shared.bus.providers import Environment, instantiate
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher, processes

    with (
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "identity")
        service = instantiate(processes.load_class("identity"), Environment(settings, keyring, lambda: None))
        fill(settings, service.vault, people)
        with psycopg.connect(_url(settings).render_as_string(hide_password=False), autocommit=True) as bare:
            cases = _cases(settings, service, bare)
            samples = measure(cases, rounds, operations, report)
        service.database.dispose()
    return Outcome(settings.mode.value, results.find(cases, samples, (FIRST, BARE_LAST)), _goals(samples))


def fill(settings: Settings, vault: Any, people: int) -> None:
    """People of one province as an administrator whom no row security binds; only the namesakes can be opened."""
    engine = sa.create_engine(_url(settings).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(
            sa.text(f"""
                INSERT INTO account (id, phone_sealed, phone_index, identities, active_identity, version, origin, registered_at)
                SELECT gen_random_uuid(), 'x', 'k.' || n, '{{TEACHER}}', 'TEACHER', 1, 'IMPORT', now()
                FROM generate_series(1, {people - NAMESAKES}) AS n
            """)  # noqa: S608  constants of this module
        )
        connection.execute(
            sa.text(f"""
                INSERT INTO profile (account_id, name_sealed, name_index, segment, subject, place, review_state, changed_at)
                SELECT id, 'x', 'k.' || md5((random() * 200000)::int::text), 'PRIMARY', '语文',
                    '{PROVINCE}/440100/4401' || lpad((random() * {COUNTIES - 1})::int::text, 2, '0')
                        || '/' || (random() * 200)::int,
                    'CONFIRMED', now()
                FROM account
            """)  # noqa: S608
        )
        for statement, rows in _namesakes(vault):
            connection.execute(sa.text(statement), rows)
        connection.execute(
            sa.text("""
                INSERT INTO placement (teacher_id, version, state, place, school_id, school_name, effective_at)
                SELECT account_id, 1, 'VERIFIED', place, gen_random_uuid(), '实验小学', now() FROM profile
            """)
        )
        connection.execute(sa.text("UPDATE account SET place = profile.place FROM profile WHERE account_id = id"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


def _namesakes(vault: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    chance = random.Random(7)  # noqa: S311  the same places in each run
    accounts, profiles = [], []
    now = dt.datetime.now(dt.UTC)
    for number in range(NAMESAKES):
        account_id, phone = uuid.uuid4(), f"139{number:08d}"
        id_no = f"PASS{number:08d}"
        accounts.append(
            {
                "id": account_id,
                "sealed": vault.seal("account", account_id, "phone", phone),
                "index": vault.phone_index(phone),
                "now": now,
            }
        )
        profiles.append(
            {
                "id": account_id,
                "name": vault.seal("profile", account_id, "name", NAME),
                "name_index": vault.name_index(NAME),
                "number": vault.seal("profile", account_id, "id_no", id_no),
                "number_index": vault.id_no_index("PASSPORT", id_no),
                "place": f"{PROVINCE}/440100/4401{chance.randrange(COUNTIES):02d}/{chance.randrange(200)}",
                "now": now,
            }
        )
    return [
        (
            """
            INSERT INTO account (id, phone_sealed, phone_index, identities, active_identity, version, origin, registered_at)
            VALUES (:id, :sealed, :index, '{TEACHER}', 'TEACHER', 1, 'IMPORT', :now)
            """,
            accounts,
        ),
        (
            """
            INSERT INTO profile (account_id, name_sealed, name_index, id_type, id_no_sealed, id_no_index, segment, subject,
                                 place, review_state, changed_at)
            VALUES (:id, :name, :name_index, 'PASSPORT', :number, :number_index, 'PRIMARY', '语文', :place, 'CONFIRMED', :now)
            """,
            profiles,
        ),
    ]


def _cases(settings: Settings, service: Any, bare: psycopg.Connection) -> list[Case]:
    """First and last page of the province, and the whole county, ours and bare; they hold the same rows."""
    index = service.vault.name_index(NAME)
    found = bare.execute(
        "SELECT place, account_id FROM profile WHERE name_index = %s AND place >= %s AND place < %s"
        " ORDER BY place DESC, account_id DESC LIMIT %s",
        (index, f"{PROVINCE}/", f"{PROVINCE}0", PAGE + 1),
    ).fetchall()
    last = found[-1]
    asked: list[tuple[str, str, Ask]] = [
        (FIRST, "province, first page", _ours(service, PROVINCE, None)),
        (LAST, "province, last page", _ours(service, PROVINCE, last)),
        ("county", "one county", _ours(service, COUNTY, None)),
        (BARE_FIRST, "bare SELECT, first page", _select(bare, index, PROVINCE, None)),
        (BARE_LAST, "bare SELECT, last page", _select(bare, index, PROVINCE, last)),
        ("bare_county", "bare SELECT, one county", _select(bare, index, COUNTY, None)),
    ]
    pages = [ask() for _, _, ask in asked]
    if pages[:3] != pages[3:] or len(pages[0]) != PAGE or not pages[2]:
        raise BenchError("the service finds other people than the SELECT")

    def parts() -> dict[str, set[int]]:
        return {"database": floors.database_pids(settings)}

    return [Case(name, told, Alone(ask), parts, caller_counts=True) for name, told, ask in asked]


def _ours(service: Any, place: str, after: Any) -> Ask:
    from services.shared.actor import Actor, Grant, Kind, Role
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    role = Role.PROVINCE_ADMIN if place == PROVINCE else Role.COUNTY_ADMIN
    admin = Actor(Kind.PERSON, new_id(), "TEACHER", (Grant(role, place),), new_id(), address="127.0.0.1")
    cursor = {"place": after[0], "account_id": str(after[1])} if after else None
    arguments = {"name": NAME, "limit": PAGE, "cursor": cursor}

    def ask() -> list[str]:
        page = dispatch.run_method(service, "search_people", arguments, admin)
        return [item["account_id"] for item in page["items"]]

    return ask


def _select(bare: psycopg.Connection, index: str, place: str, after: Any) -> Ask:
    """The same rows, with the look at one more that tells whether there is a next page."""
    start = "AND (p.place, p.account_id) > (%(at)s, %(account)s)" if after else ""
    given = {"index": index, "low": f"{place}/", "high": f"{place}0"}
    given |= {"at": after[0], "account": after[1]} if after else {}
    statement = (
        "SELECT a.id, a.phone_sealed, a.learner_no, a.locked_at, p.name_sealed, p.id_type, p.id_no_sealed, p.segment,"  # noqa: S608
        " p.subject, p.review_state, q.state, q.school_id, q.school_name FROM profile p"
        " JOIN account a ON a.id = p.account_id LEFT JOIN placement q ON q.teacher_id = a.id"
        " WHERE p.name_index = %(index)s AND p.place >= %(low)s AND p.place < %(high)s"
        f" {start} ORDER BY p.place, p.account_id LIMIT {PAGE + 1}"
    )

    def ask() -> list[str]:
        rows = bare.execute(statement, given, prepare=True).fetchall()
        return [str(row[0]) for row in rows[:PAGE]]

    return ask


def _goals(samples: Mapping[str, Sequence[Sample]]) -> list[dict[str, Any]]:
    taken = {name: [sample.total_us for sample in own] for name, own in samples.items()}
    slower = [max(pages) for pages in zip(taken[FIRST], taken[LAST], strict=True)]
    bare = [max(pages) for pages in zip(taken[BARE_FIRST], taken[BARE_LAST], strict=True)]
    return [
        _goal("last_to_first", "search by name: last page / first page", taken[LAST], taken[FIRST], GOAL_LAST),
        _goal("to_bare", "search by name: slower page / bare SELECT", slower, bare, GOAL_BARE),
    ]


def _goal(name: str, told: str, above: list[float], below: list[float], goal: float) -> dict[str, Any]:
    ratio = figures.paired_ratio(above, below)
    assert ratio is not None  # nothing takes no time at all
    row = {"name": name, "told": told, "found": round(ratio.value, 2), "unit": "×", "goal": goal}
    return {**row, "low": round(ratio.low, 2), "high": round(ratio.high, 2), "met": ratio.value <= goal}


def _url(settings: Settings) -> sa.URL:
    return sa.make_url(settings.database_url).set(drivername="postgresql", database=settings.database_name("identity"))
