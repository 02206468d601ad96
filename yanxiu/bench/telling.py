"""What recognising an evening of study costs by the minute of study, told with every report and told as the policy says.

The same evening twice: teachers who watch a video of 45 minutes to its end, reporting each minute. What learning tells of it
is made beforehand; measured is what credits does with it, in full batches in which each teacher stands once.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import sqlalchemy as sa

from services.learning.study.rules import telling
from services.shared import clock
from services.shared.settings import Settings
from yanxiu.bench import evenings, figures, floors, ground, results
from yanxiu.bench import study as reports
from yanxiu.bench.cases import BenchError, Case, Report, Sample, measure
from yanxiu.bench.recognition import Outcome, consume, owner_of, published

EACH, POLICY = "each_report", "policy"
COURSE = evenings.UNGATED
MINUTES = 45  # its video, to the end
BEGINS = clock.parse_instant("2023-01-10T12:00:00Z")  # 20:00 in Beijing
PAUSES = {EACH: dt.timedelta(0), POLICY: telling.TOLD_WITHIN}
TOLD = {EACH: "told with each report", POLICY: "told at most every five minutes"}


class _Evening:
    """The simulated clock of the evening."""

    def __init__(self) -> None:
        self.instant = BEGINS

    def now(self) -> dt.datetime:
        return self.instant


class Recogniser:
    """Recognises what was made ready; an operation is a minute of study, however much was told of it."""

    def __init__(self, service: Any, teachers: int) -> None:
        self._act = consume(service, service)
        self._teachers = teachers
        self.ready: Sequence[bytes] = ()

    def run(self, count: int) -> list[float]:
        began = time.perf_counter()
        for first in range(0, len(self.ready), self._teachers):
            self._act([_Body(body) for body in self.ready[first : first + self._teachers]])
        minutes = self._teachers * MINUTES
        return [(time.perf_counter() - began) / minutes] * minutes

    def close(self) -> None:
        """Its connections are the benchmark's."""


@dataclasses.dataclass(frozen=True)
class _Body:
    body: bytes


def measure_telling(*, rounds: int, teachers: int, embedded: bool, report: Report) -> Outcome:
    """Raises BenchError unless both ways end with the same hours for everybody."""
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
        for service_name in ("learning", "credits"):
            migrate_service(settings, keyring, service_name)
        given = Environment(settings, keyring, lambda: None)
        service = instantiate(processes.load_class("credits-recognition"), given)
        learning = instantiate(processes.load_class("learning-ingest"), given)
        try:
            with owner_of(settings) as owner:
                bench = Bench(settings, service, learning, owner, teachers)
                samples = measure(bench.cases(), rounds, teachers * MINUTES, report, bench.prepare)
                bench.require_truth()
                findings = results.find(bench.cases(), samples, (EACH,))
        finally:
            clock.install(clock.SystemClock())
            service.database.dispose()
            learning.database.dispose()
    return Outcome(settings.mode.value, findings, [*_goals(samples), bench.told_goal()])


class Bench:
    def __init__(
        self, settings: Settings, service: Any, learning: Any, owner: psycopg.Connection, teachers: int
    ) -> None:
        from services.learning.enrolment.actions import keep_programme

        self._settings = settings
        self._learning = learning.database
        self._owner = owner
        self._count = teachers
        self._clock = _Evening()
        self._season = evenings.programme()
        self._teachers: list[uuid.UUID] = []
        self._told = dict.fromkeys(PAUSES, 0)
        self._runners = {name: Recogniser(service, teachers) for name in PAUSES}
        clock.install(self._clock)
        with self._learning.work() as db:
            keep_programme(db, {**self._season, "version": 1})
        deliver(service, "on_programme_published", published(self._season))

    def cases(self) -> list[Case]:
        def parts() -> dict[str, set[int]]:
            return {"database": floors.database_pids(self._settings)}

        return [Case(name, TOLD[name], runner, parts, caller_counts=True) for name, runner in self._runners.items()]

    def prepare(self) -> None:
        """An evening of new teachers under each policy."""
        for name, runner in self._runners.items():
            runner.ready = list(self._evening(PAUSES[name]))
            self._told[name] = len(runner.ready)
        self._owner.execute("ANALYZE")

    def _evening(self, pause: dt.timedelta) -> Iterator[bytes]:
        """Bodies as the relay would publish them, in the order of telling."""
        from services.learning.study.actions.reports import StudyReport, record_segments
        from services.shared.bus.link import encode
        from services.shared.tables import outbox

        course = next(course for course in self._season["courses"] if course["key"] == COURSE)
        video = course["videos"][0]
        kept, telling.TOLD_WITHIN = telling.TOLD_WITHIN, pause
        self._clock.instant = BEGINS
        try:
            with self._learning.work() as db:
                last = db.execute(sa.select(sa.func.coalesce(sa.func.max(outbox.c.position), 0))).scalar_one()
                sittings = [
                    reports.open_sitting(
                        db,
                        {**self._season, "courses": [course]},
                        uuid.UUID(video["activity_id"]),
                        BEGINS + number % MINUTES * dt.timedelta(seconds=60),
                    )
                    for number in range(self._count)
                ]
            for minute in range(1, 2 * MINUTES):
                self._clock.instant = BEGINS + minute * dt.timedelta(seconds=60)
                batch = []
                for number, sitting in enumerate(sittings):
                    # Not all begin at once, so that no minute tells of all of them.
                    seq = minute - number % MINUTES
                    if 1 <= seq <= MINUTES:
                        batch.append(StudyReport(sitting, seq, ((60 * (seq - 1), 60 * seq),), self._clock.instant))
                with self._learning.work() as db:
                    record_segments(db, batch, self._clock.instant)
        finally:
            telling.TOLD_WITHIN = kept
        with self._learning.work() as db:
            rows = db.execute(outbox.select().where(outbox.c.position > last).order_by(outbox.c.position)).all()
        self._teachers += {row.aggregate_id for row in rows}
        for row in rows:
            yield encode(
                {
                    "id": str(row.id),
                    "type": row.type,
                    "aggregate_id": str(row.aggregate_id),
                    "occurred_at": clock.format_instant(row.occurred_at),
                    "payload": row.payload,
                }
            )

    def require_truth(self) -> None:
        """Raises BenchError unless everybody has the hour of the course, and the ledger says the same."""
        for table, column in (("ledger", "amount"), ("standing", "hours")):
            rows = self._owner.execute(f"SELECT teacher_id, sum({column}) FROM {table} GROUP BY 1").fetchall()  # noqa: S608
            found: dict[uuid.UUID, Decimal] = dict(rows)
            if set(found) != set(self._teachers) or any(hours != 1 for hours in found.values()):
                raise BenchError(f"{table} and what was studied differ")

    def told_goal(self) -> dict[str, Any]:
        return {
            "name": "told",
            "told": "events that tell of a minute of study, under the policy",
            "found": round(self._told[POLICY] / (self._count * MINUTES), 3),
            "unit": "",
            "goal": None,
        }


def deliver(service: Any, method: str, event: Any) -> None:
    from services.shared.bus import dispatch

    dispatch.apply_event(service.database, service, method, event)


def _goals(samples: dict[str, list[Sample]]) -> list[dict[str, Any]]:
    ratio = figures.paired_ratio(
        [sample.total_us for sample in samples[POLICY]], [sample.total_us for sample in samples[EACH]]
    )
    assert ratio is not None  # nothing takes no time at all
    found = {"found": round(ratio.value, 2), "low": round(ratio.low, 2), "high": round(ratio.high, 2)}
    told = "recognition by the minute of study: told as the policy says / with each report"
    return [{"name": "telling", "told": told, **found, "unit": "×", "goal": 0.25}]
