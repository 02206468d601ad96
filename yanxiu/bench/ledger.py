"""A county's statistics and a teacher's matrix page over a ledger of a chosen size and over a small one, against one row by
its primary key and against counting.

One caller, in this process, straight on the service: what is asked is whether reading grows with the ledger. Nothing goes
over the bus.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg

from yanxiu.bench import figures, floors, ledgers, results
from yanxiu.bench.cases import BenchError, Case, Report, Sample, measure
from yanxiu.bench.ledgers import NOW, PROGRAMME, PROVINCE, Ledger
from yanxiu.bench.results import Finding

FEWER = 10_000
ASKED = 200  # teachers whose pages are asked for in turn, the same number of both sizes
COUNTY = f"{PROVINCE}/450100/450107"
AGAINST = ("few_statistics", "few_matrix", "many_bare")
GOAL_KEY = 1.5  # the county's page against one row by its primary key, asked for in the same way
GOAL_GROWTH = 1.15
KEY = (
    "SELECT place, registered, verified, enrolled, studying, finished, certified, hours FROM statistic"
    " WHERE programme_id = %(programme)s AND place = %(place)s"
)
COUNT = """
    SELECT sum(amount), count(DISTINCT teacher_id) FROM ledger
    WHERE programme_id = %s AND place >= %s AND place < %s
"""
OUR_SECONDS = 60.0

Ask = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Outcome:
    mode: str
    findings: list[Finding]
    goals: list[dict[str, Any]]


class Alone:
    """One caller, one asking after the other."""

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


def measure_ledger(
    *, entries: int, rounds: int, operations: int, embedded: bool, report: Report, told: Callable[[str], None]
) -> Outcome:
    """Pages over `entries` and over ten thousand. Raises BenchError when a page tells something else than the ledger."""
    with ledgers.ledger(FEWER, embedded, told) as few, ledgers.ledger(entries, embedded, told) as many:
        counting = {size: require_equal(of) for size, of in (("few", few), ("many", many))}
        cases = [*_cases("few", few), *_cases("many", many)]
        samples = measure(cases, rounds, operations, report)
    findings = results.find(cases, samples, AGAINST)
    return Outcome(many.settings.mode.value, findings, _goals(samples, counting["many"], entries))


def require_equal(of: Ledger) -> float:
    """Every county's kept hours and heads are what the ledger adds up to. Returns how long counting one county took."""
    rows = of.owner.execute(
        "SELECT array_to_string((string_to_array(place, '/'))[1:4], '/'), sum(amount), count(DISTINCT teacher_id)"
        " FROM ledger WHERE programme_id = %s GROUP BY 1",
        (PROGRAMME,),
    ).fetchall()
    for place, hours, heads in rows:
        page = _ours(of, "get_statistics", {"programme_id": str(PROGRAMME), "place": place})()
        if (Decimal(page["hours"]), page["finished"]) != (hours, heads):
            raise BenchError(f"{place}: {page['hours']} hours are kept, the ledger has {hours}")
    began = time.perf_counter()
    of.owner.execute(COUNT, (PROGRAMME, f"{COUNTY}/", f"{COUNTY}0")).fetchall()
    return time.perf_counter() - began


def _cases(size: str, of: Ledger) -> list[Case]:
    chance = random.Random(of.entries)  # noqa: S311  the same teachers in each run
    numbers = chance.choices(range(of.teachers), k=ASKED)
    teachers = [of.owner.execute(f"SELECT {ledgers.teacher(number)}").fetchall()[0][0] for number in numbers]
    place = {"programme_id": str(PROGRAMME), "place": COUNTY}
    asks: dict[str, tuple[str, Ask]] = {
        "statistics": ("the county's statistics", _ours(of, "get_statistics", place)),
        "key": ("the same row by primary key, asked for in the same way", _by_key(of, place)),
        "bare": ("the same row by a bare SELECT", _bare(of.owner)),
        "matrix": ("a teacher's matrix page", _matrices(of, teachers)),
    }

    def parts() -> dict[str, set[int]]:
        return {"database": floors.database_pids(of.settings)}

    return [
        Case(f"{size}_{name}", f"{of.entries:,} entries: {words}", Alone(ask), parts, caller_counts=True)
        for name, (words, ask) in asks.items()
    ]


def _ours(of: Ledger, method: str, arguments: dict[str, Any], service: Any = None) -> Ask:
    from services.shared.actor import Actor, Grant, Kind, Role
    from services.shared.bus import dispatch
    from services.shared.ids import new_id

    admin = Actor(Kind.PERSON, new_id(), "TEACHER", (Grant(Role.PROVINCE_ADMIN, PROVINCE),), new_id())

    def ask() -> Any:
        deadline = time.monotonic() + OUR_SECONDS
        return dispatch.run_method(service or of.service, method, arguments, admin, deadline=deadline)

    return ask


def _by_key(of: Ledger, arguments: dict[str, Any]) -> Ask:
    """One row by its primary key through the same door: rights, scope, row security, the reply's form; nothing else."""
    from services.credits.statistics import schemas
    from services.credits.statistics.policy import READERS
    from services.shared.bus import Call, query
    from services.shared.driver import run_plain

    class Reader:
        name = of.service.name
        policies = {"read_row": READERS}  # noqa: RUF012

        @query
        def read_row(self, call: Call) -> Any:
            asked = call.load(schemas.OnePlace())
            call.authorise(place=asked["place"], missing="credits.statistics_unknown")
            with of.service.database.read(call) as db:
                [row] = run_plain(db, KEY, {"programme": asked["programme_id"], "place": asked["place"]})
                return schemas.Figures().dump(row)

    return _ours(of, "read_row", arguments, Reader())


def _bare(owner: psycopg.Connection) -> Ask:
    return lambda: owner.execute(KEY, {"programme": PROGRAMME, "place": COUNTY}, prepare=True).fetchall()


def _matrices(of: Ledger, teachers: list[uuid.UUID]) -> Ask:
    from services.credits.verification import queries

    asks = [_ours(of, "get_credit_matrix", {"teacher_id": str(each), "year": 2023}) for each in teachers]
    for each, page in zip(teachers[:3], asks, strict=False):
        with of.service.database.work() as db:
            amounts = queries.list_amounts(db, [each], ledgers.YEARS, NOW)[each]
        [total] = [row["cycle"] for row in page()["rows"] if row["category"] == "total"]
        if not amounts or Decimal(total["amount"]) != sum(amount.amount for amount in amounts):
            raise BenchError("a matrix page does not add up to its entries")
    turn = itertools.cycle(asks)

    def ask() -> Any:
        return next(turn)()

    return ask


def _goals(samples: dict[str, list[Sample]], counting: float, entries: int) -> list[dict[str, Any]]:
    page = figures.percentile([second for sample in samples["many_statistics"] for second in sample.seconds], 0.5)
    return [
        _goal(samples, "many_statistics", "many_key", "the county's statistics / a row by primary key", GOAL_KEY),
        _goal(samples, "many_statistics", "many_bare", "the county's statistics / a bare SELECT of the row", None),
        _goal(samples, "many_statistics", "few_statistics", f"statistics at {entries:,} / at {FEWER:,}", GOAL_GROWTH),
        _goal(samples, "many_matrix", "few_matrix", f"matrix page at {entries:,} / at {FEWER:,}", GOAL_GROWTH),
        {
            "name": "counting",
            "told": "counting the county in the ledger / its statistics, in time",
            "found": round(counting / page, 1),
            "unit": "×",
            "goal": None,
        },
    ]


def _goal(samples: dict[str, list[Sample]], above: str, below: str, told: str, goal: float | None) -> dict[str, Any]:
    ratio = figures.paired_ratio(*([sample.total_us for sample in samples[name]] for name in (above, below)))
    assert ratio is not None  # nothing takes no time at all
    found = {"found": round(ratio.value, 2), "low": round(ratio.low, 2), "high": round(ratio.high, 2)}
    return {"name": f"{above}_to_{below}", "told": told, **found, "unit": "×", "goal": goal}
