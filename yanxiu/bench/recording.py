"""What recording a batch of study reports costs over many rows of study, against few; the sittings that report are as many
in both.

One caller, in this process, over the database: rules, sittings, watched time, trail, evidence, outbox, one commit. The
sittings that report lie apart from each other among the others.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator

import psycopg
import sqlalchemy as sa

from services.learning.models import StudySession
from services.shared import clock
from services.shared.settings import Settings
from yanxiu.bench import figures, floors, ground, results
from yanxiu.bench.cases import Alone, BenchError, Case, Report, measure
from yanxiu.bench.recognition import Outcome
from yanxiu.bench.study import BATCH, STEP_SECONDS, Flush

FEWER = 10_000
GOAL = 1.15
CHUNK = 500_000
FEW, MANY = "few", "many"

# Everybody's ids follow from their number.
_TEACHER, _SITTING = "md5('teacher' || n)::uuid", "md5('sitting' || n)::uuid"
_NUMBERS = "FROM generate_series(%(first)s::integer, %(last)s::integer) AS n"
_WATCHED = f"""
    INSERT INTO watched (teacher_id, activity_id, seen, countable)
    SELECT {_TEACHER}, %(activity)s::uuid, '{{[0,60)}}', '{{[0,60)}}' {_NUMBERS}
"""
_EVIDENCE = f"""
    INSERT INTO course_evidence (teacher_id, course_id, programme_id, version, announced_at, studied_at)
    SELECT {_TEACHER}, %(course)s::uuid, %(programme)s::uuid, 1, %(now)s, %(now)s {_NUMBERS}
"""
_REPORT = f"""
    INSERT INTO study_report (recorded_on, study_session_id, seq, teacher_id, activity_id, received_at, segments, seen,
                              countable, spent)
    SELECT %(day)s, {_SITTING}, 1000000, {_TEACHER}, %(activity)s::uuid, %(now)s, '{{0,60}}', '{{[0,60)}}', '{{[0,60)}}',
           '{{[0,60000)}}' {_NUMBERS}
"""


class Among(Flush):
    """The batch's sittings are some of many."""

    def __init__(self, settings: Settings, rows: int) -> None:
        self._rows = rows
        super().__init__(settings)

    def fill(self, owner: psycopg.Connection) -> None:
        """Copies of one sitting, each with its teacher's watched time, evidence and a report of today."""
        pattern = self.sittings[0]
        names = [column.name for column in StudySession.__table__.columns]
        own = {"study_session_id": _SITTING, "teacher_id": _TEACHER}
        columns = ", ".join(own.get(name, f"pattern.{name}") for name in names)
        copies = (
            f"INSERT INTO study_session ({', '.join(names)}) SELECT {columns} FROM study_session AS pattern,"  # noqa: S608
            " generate_series(%(first)s::integer, %(last)s::integer) AS n WHERE pattern.study_session_id = %(pattern)s"
        )
        day = self.now.astimezone(clock.BEIJING).date()
        for each in (day - dt.timedelta(days=1), day, day + dt.timedelta(days=1)):
            owner.execute("SELECT add_study_report_day(%s)", (each,))
        asked = {**self.ids, "now": self.now, "day": day, "pattern": pattern}
        for first in range(1, self._rows + 1, CHUNK):
            chunk = {**asked, "first": first, "last": min(first + CHUNK - 1, self._rows)}
            for statement in (copies, _WATCHED, _EVIDENCE, _REPORT):
                owner.execute(statement, chunk)
        owner.execute("VACUUM ANALYZE")
        step = self._rows // BATCH
        chosen = owner.execute(
            f"SELECT {_SITTING} FROM generate_series(1, %s::integer, %s::integer) AS n LIMIT {BATCH}",  # noqa: S608  our own
            (self._rows, step),
        )
        self.sittings = [row[0] for row in chosen.fetchall()]

    def require_truth(self, owner: psycopg.Connection) -> None:
        """Raises BenchError unless every report of every batch was recorded once."""
        [(least, most)] = owner.execute(
            "SELECT min(claimed_seconds), max(claimed_seconds) FROM study_session WHERE study_session_id = ANY(%s)",
            (self.sittings,),
        ).fetchall()
        if not least == most == self.batches * STEP_SECONDS:
            raise BenchError("what was reported and what was recorded differ")


def measure_recording(
    *, rows: int, rounds: int, operations: int, embedded: bool, report: Report, told: Callable[[str], None]
) -> Outcome:
    """An operation is a batch of 500 reports."""
    with _learning(FEWER, embedded, told) as few, _learning(rows, embedded, told) as many:
        cases = [_case(FEW, FEWER, *few), _case(MANY, rows, *many)]
        samples = measure(cases, rounds, operations, report)
        for _, flush, owner in (few, many):
            flush.require_truth(owner)
    ratio = figures.paired_ratio(*([sample.total_us for sample in samples[name]] for name in (MANY, FEW)))
    assert ratio is not None  # nothing takes no time at all
    found = {"found": round(ratio.value, 2), "low": round(ratio.low, 2), "high": round(ratio.high, 2)}
    goal = {"name": "growth", "told": f"a batch over {rows:,} rows / over {FEWER:,}", "unit": "×", "goal": GOAL}
    return Outcome(many[0].mode.value, results.find(cases, samples, (FEW,)), [{**goal, **found}])


def _case(name: str, rows: int, settings: Settings, flush: Among, _owner: psycopg.Connection) -> Case:
    def parts() -> dict[str, set[int]]:
        return {"database": floors.database_pids(settings)}

    told = f"record {BATCH} reports over {rows:,} rows of each table"
    return Case(name, told, Alone(flush.ask), parts, caller_counts=True)


@contextlib.contextmanager
def _learning(
    rows: int, embedded: bool, told: Callable[[str], None]
) -> Iterator[tuple[Settings, Among, psycopg.Connection]]:
    """A database of learning with so many rows of study, removed at the end."""
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
        migrate_service(settings, keyring, "learning")
        url = sa.make_url(settings.database_url).set(
            drivername="postgresql", database=settings.database_name("learning")
        )
        flush = Among(settings, rows)
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
            try:
                began = time.perf_counter()
                flush.fill(owner)
                told(f"{rows:,} rows of each table, made in {time.perf_counter() - began:.0f} s")
                yield settings, flush, owner
            finally:
                flush.close()
