"""Study reports (S1, S2): what one costs at the edge against bare Flask, and what a batch costs the database against the
bare statement that no recording of sets of seconds can do without.
"""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

from services.learning import contract
from services.learning.enrolment.actions import keep_programme
from services.learning.models import StudySession
from services.learning.study.actions.reports import StudyReport, record_segments
from services.learning.study.rules import earning
from services.shared import clock, outbox
from services.shared.database import Database
from services.shared.ids import new_id
from services.shared.keys import open_keyring
from services.shared.settings import Settings
from yanxiu.bench import api, floors
from yanxiu.bench.api import MANY_SEGMENTS
from yanxiu.bench.cases import Asker, Case, Sample, Threads
from yanxiu.local.launcher import Stack

REPORT_ONE, REPORT_TEN, UNNEST, FLUSH = "report_1", "report_10", "unnest", "flush"
# performance.md S1 and S2: the gateway's part of a report, and the flush in database CPU (0.8, the other way round).
GATEWAY_GOAL, FLUSH_GOAL = 1.4, 1.25
BATCH = 500
# Its sitting, its teacher's sets, its place in the trail, the version of the evidence, and the event that tells it.
ROWS_A_REPORT = 5
OPERATIONS_A_BATCH = 20
SILENCE_SECONDS = 600
STEP_SECONDS = 60
VIDEO_SECONDS = 36_000


def cases(stack: Stack, crowd: api.People, database: Callable[[], set[int]]) -> list[Case]:
    """The two reports over HTTP, and the two ways to write a batch."""
    over_http = [case for case in api.cases(stack, crowd, database) if case.name in (REPORT_ONE, REPORT_TEN)]
    return [*over_http, *flush_cases(stack.settings, database)]


def flush_cases(settings: Settings, database: Callable[[], set[int]]) -> list[Case]:
    """One operation is one batch of reports, one of each teacher; both write the same sets, from this process."""
    parts = lambda: {"database": database()}  # noqa: E731
    return [
        Case(UNNEST, f"bare UNNEST of {BATCH} rows", Batches(lambda: Unnest(settings)), parts, caller_counts=True),
        Case(FLUSH, f"record {BATCH} reports", Batches(lambda: Flush(settings)), parts, caller_counts=True),
    ]


class Batches:
    """Runs a batch for every so many operations that the run asks for: one holds hundreds of reports."""

    def __init__(self, connect: Callable[[], Asker]) -> None:
        self._threads = Threads(connect, 1)

    def run(self, count: int) -> list[float]:
        return self._threads.run(max(1, count // OPERATIONS_A_BATCH))

    def close(self) -> None:
        self._threads.close()


class Unnest:
    """The floor: the sets of a batch added to the sets that are there, and nothing else kept."""

    _UPSERT = """
        INSERT INTO bench_watched SELECT teacher_id, activity_id, seen::int4multirange, countable::int4multirange
        FROM UNNEST(%(teachers)s::uuid[], %(activities)s::uuid[], %(sets)s::text[], %(sets)s::text[])
            AS gain (teacher_id, activity_id, seen, countable)
        ORDER BY teacher_id, activity_id
        ON CONFLICT (teacher_id, activity_id) DO UPDATE SET
            seen = bench_watched.seen + excluded.seen, countable = bench_watched.countable + excluded.countable
    """

    def __init__(self, settings: Settings) -> None:
        url = Database("learning", settings, open_keyring(settings)).url
        admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(admin, autocommit=True)
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS bench_watched (teacher_id uuid, activity_id uuid, seen int4multirange NOT NULL,"
            " countable int4multirange NOT NULL, PRIMARY KEY (teacher_id, activity_id))"
        )
        self._teachers = [new_id() for _ in range(BATCH)]
        self._activities = [new_id()] * BATCH
        self._at = itertools.count(0, STEP_SECONDS)

    def ask(self) -> None:
        at = next(self._at)
        sets = [f"{{[{at},{at + STEP_SECONDS})}}"] * BATCH
        self._connection.execute(
            self._UPSERT,
            {"teachers": self._teachers, "activities": self._activities, "sets": sets},
            prepare=True,
        )

    def close(self) -> None:
        self._connection.close()


class Flush:
    """The whole recording of a batch: rules, sittings, watched time, trail, evidence, outbox; one commit."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database("learning", settings, open_keyring(settings))
        outbox.register(contract.EVENTS)
        self.now = clock.now()
        self.batches = 0
        programme = _programme(self.now)
        course = programme["courses"][0]
        video = course["videos"][0]["activity_id"]
        self.ids = {"programme": programme["programme_id"], "course": course["course_id"], "activity": video}
        with self._database.work() as db:
            keep_programme(db, programme)
            self.sittings = [open_sitting(db, programme, uuid.UUID(video), self.now) for _ in range(BATCH)]

    def ask(self) -> None:
        self.batches += 1
        seq = self.batches
        at = STEP_SECONDS * (seq - 1) % VIDEO_SECONDS
        received_at = self.now + dt.timedelta(seconds=STEP_SECONDS * seq)
        batch = [StudyReport(sitting, seq, ((at, at + STEP_SECONDS),), received_at) for sitting in self.sittings]
        with self._database.work() as db:
            record_segments(db, batch, received_at)

    def close(self) -> None:
        self._database.dispose()


def _programme(now: dt.datetime) -> dict[str, Any]:
    course = {
        "course_id": str(new_id()),
        "key": "bench",
        "title": "bench",
        "opens_at": (now - dt.timedelta(days=1)).isoformat(),
        "quiz_required": False,
        "videos": [{"activity_id": str(new_id()), "key": "v1", "title": "v1", "seconds": VIDEO_SECONDS, "quizzes": []}],
    }
    return {
        "programme_id": str(new_id()),
        "version": 1,
        "code": "bench",
        "opens_at": course["opens_at"],
        "closes_at": (now + dt.timedelta(days=60)).isoformat(),
        "silence_limit_seconds": SILENCE_SECONDS,
        "courses": [course],
    }


def open_sitting(db: Any, programme: dict[str, Any], activity_id: uuid.UUID, now: dt.datetime) -> uuid.UUID:
    accrual = earning.begin_accrual(SILENCE_SECONDS * 1000)
    session = StudySession(
        study_session_id=new_id(),
        teacher_id=new_id(),
        activity_id=activity_id,
        course_id=uuid.UUID(programme["courses"][0]["course_id"]),
        programme_id=uuid.UUID(programme["programme_id"]),
        client_id="bench-device",
        fence=1,
        opened_at=now,
        heard_at=now,
        ended_at=None,
        live=accrual.live,
        spent=accrual.spent,
        seqs=accrual.seqs,
    )
    db.add(session)
    return session.study_session_id


def goals(samples: Mapping[str, Sequence[Sample]], *, embedded: bool) -> list[dict[str, Any]]:
    """The gateway's part of a report against the whole of a bare POST and the whole stack against the monolith (the embedded
    mode is one process: not told there), and the database's part of a batch against the bare statement's.
    """
    whole = _goal(
        "flush_database",
        "database CPU: record a batch / bare UNNEST of its sets",
        samples,
        FLUSH,
        UNNEST,
        "database",
        None,
    )
    # The bare statement writes one row for each report, a recorded one leaves ROWS_A_REPORT.
    by_the_row = {
        **whole,
        "name": "flush_database_row",
        "told": "database CPU per row written: record a batch / bare UNNEST",
        "found": whole["found"] / ROWS_A_REPORT,
        "goal": FLUSH_GOAL,
    }
    found = [whole, by_the_row]
    if embedded:
        return found
    edge = [
        _goal(
            f"gateway_{name}",
            f"gateway CPU: {name} / Flask POST",
            samples,
            name,
            floors.POST,
            "gateway",
            GATEWAY_GOAL,
        )
        for name in (REPORT_ONE, REPORT_TEN)
    ]
    return edge + _against_monolith(samples) + found


def _against_monolith(samples: Mapping[str, Sequence[Sample]]) -> list[dict[str, Any]]:
    """Our whole stack against the monolith's, for one report each; nothing where its packages are not installed."""
    return [
        {
            "name": f"{ours}_{theirs}",
            "told": f"whole-stack CPU of {ours} / {theirs} {segments}",
            "found": _total(samples[ours]) / _total(samples[theirs]) / scale,
            "unit": "×",
            "goal": goal,
        }
        for ours, theirs, segments, scale, goal in (
            (REPORT_ONE, floors.MONOLITH_ONE, "(a segment each)", 1, 1.0),
            (REPORT_TEN, floors.MONOLITH_TEN, "(ten segments each)", 1, 0.85),
            (REPORT_TEN, floors.MONOLITH_ONE, "(by the segment)", MANY_SEGMENTS, 0.125),
        )
        if theirs in samples
    ]


def _total(samples: Sequence[Sample]) -> float:
    return statistics.fmean(sample.total_us for sample in samples)


def _goal(
    name: str,
    told: str,
    samples: Mapping[str, Sequence[Sample]],
    case: str,
    against: str,
    part: str,
    goal: float | None,
) -> dict[str, Any]:
    # Of all rounds together: a few batches a round are too little to tell from what the server does by itself.
    own = statistics.fmean(sample.cpu_us[part] for sample in samples[case])
    bare = statistics.fmean(sample.cpu_us.get(part, sample.total_us) for sample in samples[against])
    return {"name": name, "told": told, "found": own / bare, "unit": "×", "goal": goal}
