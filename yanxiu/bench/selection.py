"""The opening of a selection window: many teachers press the button for a course with a quarter as many seats, against a
bare indexed INSERT of as many rows; then cancelling and looking, against choosing.

The service is in this process, as many calls at a time as it has connections, over a database of its own and no bus. What
is told is PostgreSQL's CPU time for each operation: on a hot row the clock measures the waiting, not the work.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from services.shared import clock
from yanxiu.bench import figures, floors, ground, machine, usage
from yanxiu.bench.cases import BenchError

CITY = "CN/440000/440100"
SCHOOL = f"{CITY}/440103/s1"
SEATS_SHARE = 4  # 2,000 ask for 500 seats
AT_ONCE = 8  # calls; the connections that a service has
GOAL_RUSH = 3.0
GOAL_AFTER = 2.0

Report = Callable[[str], None]


class NoHolds:
    """Billing, to whom nobody owes anything."""

    def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"holds": []}


@dataclasses.dataclass(frozen=True)
class Fair:
    """A service with teachers who may choose, and connections whom nothing stands between and the rows."""

    service: Any
    teachers: Sequence[Any]
    bare: Sequence[psycopg.Connection]
    database_cpu: Callable[[], dict[int, float]]


def measure_selection(teachers: int, rounds: int, embedded: bool, report: Report) -> dict[str, Any]:
    """Database CPU of each case in each round, as JSON can hold it.

    Raises BenchError when a course was given to more, or to fewer, than it has seats for.
    """
    cost: dict[str, list[float]] = {name: [] for name in ("bare", "rush", "choose", "cancel", "list")}
    with _fair(teachers, embedded) as fair:
        for number in range(rounds):
            for name, spent in _round(fair).items():
                cost[name].append(spent)
            report(f"round {number + 1} of {rounds}")
    return {
        "bench": "selection",
        "teachers": teachers,
        "seats": teachers // SEATS_SHARE,
        "rounds": rounds,
        "database_microseconds": {name: round(sum(spent) / len(spent) * 1_000_000, 1) for name, spent in cost.items()},
        "goals": [
            _goal("rush", f"{teachers} ask for {teachers // SEATS_SHARE} seats / bare INSERT", cost, "bare", GOAL_RUSH),
            _goal("cancel", "cancelling / choosing", cost, "choose", GOAL_AFTER),
            _goal("list", "the own list / choosing", cost, "choose", GOAL_AFTER),
        ],
        "machine": machine.facts(),
    }


def _round(fair: Fair) -> dict[str, float]:
    """Each case once, in seconds of PostgreSQL's CPU for each operation."""
    number = len(fair.teachers)
    rushed, free = _offer(fair, number // SEATS_SHARE), _offer(fair, None)
    spent = {
        "bare": _spent(fair, number, lambda: _insert_bare(fair)),
        "rush": _spent(fair, number, lambda: _all(fair, lambda who: _choose(fair, who, rushed))),
    }
    _require(fair, rushed, number // SEATS_SHARE)
    chosen: dict[Any, str] = {}
    spent["choose"] = _spent(fair, number, lambda: chosen.update(_all(fair, lambda who: _choose(fair, who, free))))
    _require(fair, free, number)
    spent["list"] = _spent(fair, number, lambda: _all(fair, lambda who: _ask(fair, "list_own_choices", {}, who)))
    spent["cancel"] = _spent(
        fair, number, lambda: _all(fair, lambda who: _ask(fair, "cancel_choice", {"choice_id": chosen[who]}, who))
    )
    _require(fair, free, 0)
    return spent


def _spent(fair: Fair, operations: int, act: Callable[[], Any]) -> float:
    before = fair.database_cpu()
    act()
    # Of who came and went meanwhile (the server's own housekeeping) nothing is known, and nothing told.
    return sum(spent - before.get(pid, 0.0) for pid, spent in fair.database_cpu().items()) / operations


def _all(fair: Fair, act: Callable[[Any], Any]) -> dict[Any, Any]:
    """What each teacher's act came to, as many at a time as there are connections."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(fair.teachers, pool.map(act, fair.teachers), strict=True))


def _choose(fair: Fair, who: Any, offering_id: uuid.UUID) -> str:
    from services.shared.errors import Conflict

    try:
        return str(_ask(fair, "choose_course", {"offering_id": str(offering_id)}, who)["choice_id"])
    except Conflict as refusal:
        if refusal.code != "learning.offering_full":
            raise
        return ""


def _ask(fair: Fair, method: str, arguments: dict[str, Any], who: Any) -> Any:
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    return dispatch.run_method(fair.service, method, arguments, who, command_id=str(new_id()))


def _insert_bare(fair: Fair) -> None:
    """The rows of as many choices, with their indexes and nothing else, each in a transaction of its own."""
    from services.shared.ids import new_id

    def insert(share: int) -> None:
        offering_id = new_id()
        for who in fair.teachers[share::AT_ONCE]:
            fair.bare[share].execute(
                "INSERT INTO bare_choice (teacher_id, offering_id, choice_id, period_id, version, school_id, place,"
                " charging_place, state, chosen_by, chosen_at, changed_at) VALUES (%s, %s, %s, %s, 1, %s, %s, %s,"
                " 'CHOSEN', 'SELF', now(), now())",
                (who.account_id, offering_id, new_id(), offering_id, offering_id, SCHOOL, CITY),
                prepare=True,
            )

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(insert, range(AT_ONCE)))


def _require(fair: Fair, offering_id: uuid.UUID, number: int) -> None:
    """Holders, seats and announcements say the same, and nobody stands there twice."""
    [found] = fair.bare[0].execute(
        "SELECT (SELECT count(DISTINCT teacher_id) FROM choice WHERE offering_id = %(id)s AND state = 'CHOSEN'),"
        " (SELECT count(*) FROM choice WHERE offering_id = %(id)s AND state = 'CHOSEN'),"
        " (SELECT taken FROM seats WHERE offering_id = %(id)s)",
        {"id": offering_id},
    )
    if set(found) != {number}:
        raise BenchError(f"{number} should hold a seat; teachers, choices and seats say {found}")


# --- the ground ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _fair(teachers: int, embedded: bool) -> Iterator[Fair]:
    from services.shared.bus.providers import Environment, instantiate
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher, processes

    with (
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as found,
        contextlib.ExitStack() as stack,
    ):
        # A connection that is closed when its call is over would take its CPU time with it.
        settings = dataclasses.replace(found, pool_size=AT_ONCE)
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "learning")
        service = instantiate(processes.load_class("learning"), Environment(settings, keyring, NoHolds))
        stack.callback(service.database.dispose)
        url = sa.make_url(settings.database_url).set(
            drivername="postgresql", database=settings.database_name("learning")
        )
        address = url.render_as_string(hide_password=False)
        bare = [stack.enter_context(psycopg.connect(address, autocommit=True)) for _ in range(AT_ONCE)]
        bare[0].execute("CREATE TABLE bare_choice (LIKE choice INCLUDING DEFAULTS INCLUDING INDEXES)")

        def database_cpu() -> dict[int, float]:
            return usage.cpu_by_process(floors.database_pids(settings))

        yield Fair(service, _people(bare[0], teachers), bare, database_cpu)


def _people(bare: psycopg.Connection, number: int) -> list[Any]:
    """Verified teachers of one school."""
    from services.shared.actor import Actor, Kind
    from services.shared.ids import new_id

    people = [Actor(Kind.PERSON, new_id(), "TEACHER", session_id=new_id(), address="127.0.0.1") for _ in range(number)]
    with bare.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO placement (teacher_id, version, state, place, school_id, school_name, effective_at)"
            " VALUES (%s, 1, 'VERIFIED', %s, %s, '学校', now())",
            [(who.account_id, SCHOOL, new_id()) for who in people],
        )
    return people


def _offer(fair: Fair, capacity: int | None) -> uuid.UUID:
    """A course of the city whose window is open now."""
    from services.learning.selection.models import Offering, Period, Seats
    from services.shared.ids import new_id

    now = clock.now()
    period = Period(
        period_id=new_id(),
        version=1,
        code="bench",
        title="bench",
        tier="CITY",
        place=CITY,
        year=now.year,
        state="SELECTING",
        selects_from=now - dt.timedelta(days=1),
        selects_until=now + dt.timedelta(days=9),
        due_on=now.date(),
    )
    offering = Offering(
        offering_id=new_id(),
        version=1,
        period_id=period.period_id,
        course_id=new_id(),
        course_no="C1",
        title="bench",
        hour_type="PROFESSIONAL",
        course_type="REMOTE",
        hours=10,
        fee=100,
        material_fee=0,
        public_course=False,
        charging_unit_id=new_id(),
        charging_place=CITY,
        capacity=capacity,
        audience={},
        capability=False,
        state="OPEN",
    )
    with fair.service.database.work() as db:
        db.add_all([period, offering, Seats(offering_id=offering.offering_id, capacity=capacity, taken=0)])
        return offering.offering_id


def _goal(name: str, told: str, cost: dict[str, list[float]], against: str, goal: float) -> dict[str, Any]:
    ratio = figures.paired_ratio(cost[name], cost[against])
    if ratio is None:
        raise BenchError("PostgreSQL's CPU time cannot be read here")
    row = {"name": name, "told": told, "found": round(ratio.value, 2), "unit": "×", "goal": goal}
    return {**row, "low": round(ratio.low, 2), "high": round(ratio.high, 2), "met": ratio.value <= goal}
