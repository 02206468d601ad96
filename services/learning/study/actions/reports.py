"""Recording study reports by the batch: lock the sessions, ask the rules, write the sets once, announce."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from services.learning.contract import reports
from services.learning.models import ranges_text
from services.learning.review.queries import keep_held
from services.learning.study import queries, trail
from services.learning.study.actions.evidence import TeacherCourse, note_progress
from services.learning.study.actions.sessions import since_opening
from services.learning.study.queries import LockedSession, Video
from services.learning.study.rules import earning, multirange, quizzes, telling
from services.learning.study.rules.earning import Accrual, Earned, Terms
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.learning.study.rules.quizzes import QuizStanding
from services.learning.study.trail import Recorded
from services.shared import clock
from services.shared.driver import run_plain, touch_plain
from services.shared.many_rows import words_of

Pair = tuple[uuid.UUID, uuid.UUID]  # (teacher, activity)


class UnknownSessionError(Exception):
    """A report of a session that our database does not know (restored to an earlier time): parked, not lost."""


@dataclasses.dataclass(frozen=True)
class StudyReport:
    """One report as the gateway accepted it; `segments` in the order they were played."""

    study_session_id: uuid.UUID
    seq: int
    segments: tuple[tuple[int, int], ...]
    received_at: dt.datetime

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> StudyReport:
        """Raises KeyError, TypeError or ValueError for a body that is no report."""
        return cls(
            uuid.UUID(body["study_session_id"]),
            int(body["seq"]),
            tuple((int(begin), int(end)) for begin, end in body["segments"]),
            clock.parse_instant(body["received_at"]),
        )

    def to_wire(self) -> dict[str, Any]:
        return {
            "kind": "report",
            "study_session_id": str(self.study_session_id),
            "seq": self.seq,
            "segments": [list(segment) for segment in self.segments],
            "received_at": clock.format_instant(self.received_at),
        }


@dataclasses.dataclass
class _Sitting:
    """A study session while a batch is being recorded."""

    row: LockedSession
    accrual: Accrual
    heard_at: dt.datetime
    seen: Ranges
    countable: Ranges
    claimed_seconds: int

    @classmethod
    def of(cls, row: LockedSession) -> _Sitting:
        heard_ms = since_opening(row, row.heard_at)
        accrual = Accrual(row.live, row.spent, row.seqs, row.present, heard_ms=heard_ms)
        if row.ended_at is not None:
            accrual = earning.end_accrual(accrual, since_opening(row, row.ended_at))
        return cls(row, accrual, row.heard_at, row.seen, row.countable, row.claimed_seconds)

    @property
    def pair(self) -> Pair:
        return self.row.teacher_id, self.row.activity_id


@dataclasses.dataclass(frozen=True)
class _Taken:
    """A report that was taken for the first time, and what it earned."""

    sitting: _Sitting
    report: StudyReport
    earned: Earned
    spent: Ranges


def record_segments(db: Session, batch: Collection[StudyReport], now: dt.datetime) -> None:
    """Record a batch of reports; those taken before change nothing.

    Raises UnknownSessionError for a session that is not here, InvalidInput for segments that the video does not have
    (the gateway lets none through): the caller's halving finds the culprit.
    """
    rows = queries.lock_study_sessions(db, {report.study_session_id for report in batch})
    sittings = {row.study_session_id: _Sitting.of(row) for row in rows.values()}
    videos = queries.list_videos(db, {row.activity_id for row in rows.values()})
    answers = queries.list_quiz_standings(db, {sitting.pair for sitting in sittings.values()})
    taken = []
    for report in sorted(batch, key=lambda report: (report.received_at, report.seq)):
        sitting = sittings.get(report.study_session_id)
        if sitting is None:
            raise UnknownSessionError(str(report.study_session_id))
        taken += _take(sitting, videos[sitting.row.activity_id], answers[sitting.pair], report, now)
    if not taken:
        return
    gains = _gains(taken)
    changed, held, whole = _add_watched(db, gains, videos)
    _keep_sittings(db, {id(one.sitting): one.sitting for one in taken}.values())
    # A late report of a sitting under review is held like the rest of it, and what is watched again is held no longer.
    keep_held(db, held | {one.sitting.pair for one in taken if one.sitting.row.held})
    day = now.astimezone(clock.BEIJING).date()
    trail.add_reports(db, [_recorded(one, day) for one in taken])
    ended = {one.sitting.pair for one in taken if one.sitting.row.ended_at is not None}
    note_progress(db, _to_tell(_news(changed, gains, videos, now), videos, whole | ended, now), now)


def _take(
    sitting: _Sitting, video: Video, answers: Mapping[uuid.UUID, QuizStanding], report: StudyReport, now: dt.datetime
) -> list[_Taken]:
    """Ask the rules about one report and move the sitting's clock; nothing for a seq that was taken before."""
    segments = reports.read_segments(report.segments, video.activity.seconds)
    if multirange.contains(sitting.accrual.seqs, report.seq):
        return []
    # A gateway's clock may run ahead of ours; time that has not come yet earns nothing.
    received_at = min(report.received_at, now)
    before = sitting.accrual.spent
    earned = earning.time_earned(
        sitting.accrual,
        earning.Report(report.seq, since_opening(sitting.row, received_at), segments),
        _terms(sitting.row, video, answers),
    )
    sitting.accrual = earned.accrual
    sitting.heard_at = max(sitting.heard_at, received_at)
    sitting.seen = multirange.union(sitting.seen, earned.seen)
    sitting.countable = multirange.union(sitting.countable, earned.countable)
    sitting.claimed_seconds += sum(end - begin for begin, end in segments)
    return [_Taken(sitting, report, earned, multirange.subtraction(earned.accrual.spent, before))]


def _terms(study_session: LockedSession, video: Video, answers: Mapping[uuid.UUID, QuizStanding]) -> Terms:
    gates = []
    for quiz in quizzes.in_order(video.quizzes) if video.course.quiz_required else []:
        answer = answers.get(quiz.quiz_id)
        answered_at = answer.answered_at if answer else None
        gates.append((quiz.at_seconds, since_opening(study_session, answered_at) if answered_at else None))
    return Terms(
        silence_ms=video.programme.silence_limit_seconds * 1000,
        opens_ms=since_opening(study_session, video.course.opens_at),
        closes_ms=since_opening(study_session, video.programme.closes_at),
        gates=tuple(gates),
    )


def _gains(taken: list[_Taken]) -> dict[Pair, tuple[Ranges, Ranges]]:
    """What the batch adds: {(teacher, activity): (seen, countable)}."""
    gains: dict[Pair, tuple[Ranges, Ranges]] = {}
    for one in taken:
        seen, countable = gains.get(one.sitting.pair, (EMPTY, EMPTY))
        gains[one.sitting.pair] = (
            multirange.union(seen, one.earned.seen),
            multirange.union(countable, one.earned.countable),
        )
    return gains


def _recorded(one: _Taken, day: dt.date) -> Recorded:
    row, report, earned = one.sitting.row, one.report, one.earned
    return Recorded(
        day,
        report.study_session_id,
        report.seq,
        row.teacher_id,
        row.activity_id,
        report.received_at,
        report.segments,
        earned.seen,
        earned.countable,
        one.spent,
    )


_KEEP_SITTINGS = """
    UPDATE study_session AS kept SET
        live = new.live, spent = new.spent, seqs = new.seqs, seen = new.seen, countable = new.countable,
        claimed_seconds = new.claimed_seconds, heard_at = new.heard_at
    FROM UNNEST(string_to_array(%(ids)s, ' ')::uuid[], string_to_array(%(live)s, ' ')::int4multirange[],
                string_to_array(%(spent)s, ' ')::int4multirange[], string_to_array(%(seqs)s, ' ')::int4multirange[],
                string_to_array(%(seen)s, ' ')::int4multirange[], string_to_array(%(countable)s, ' ')::int4multirange[],
                string_to_array(%(claimed)s, ' ')::bigint[], string_to_array(%(heard)s, ' ')::timestamptz[])
        AS new (study_session_id, live, spent, seqs, seen, countable, claimed_seconds, heard_at)
    WHERE kept.study_session_id = new.study_session_id
"""


def _keep_sittings(db: Session, sittings: Iterable[_Sitting]) -> None:
    """Write what the batch changed of its sessions in one statement; their rows are locked."""
    kept = list(sittings)
    touch_plain(
        db,
        _KEEP_SITTINGS,
        {
            "ids": words_of(sitting.row.study_session_id for sitting in kept),
            "live": words_of(ranges_text(sitting.accrual.live) for sitting in kept),
            "spent": words_of(ranges_text(sitting.accrual.spent) for sitting in kept),
            "seqs": words_of(ranges_text(sitting.accrual.seqs) for sitting in kept),
            "seen": words_of(ranges_text(sitting.seen) for sitting in kept),
            "countable": words_of(ranges_text(sitting.countable) for sitting in kept),
            "claimed": words_of(sitting.claimed_seconds for sitting in kept),
            "heard": words_of(clock.format_instant(sitting.heard_at) for sitting in kept),
        },
    )


_ADD_WATCHED = """
    INSERT INTO watched (teacher_id, activity_id, seen, countable)
    SELECT teacher_id, activity_id, seen, countable
    FROM UNNEST(string_to_array(%(teachers)s, ' ')::uuid[], string_to_array(%(activities)s, ' ')::uuid[],
                string_to_array(%(seen)s, ' ')::int4multirange[], string_to_array(%(countable)s, ' ')::int4multirange[])
        AS gain (teacher_id, activity_id, seen, countable)
    ORDER BY teacher_id, activity_id
    ON CONFLICT (teacher_id, activity_id) DO UPDATE
    SET seen = watched.seen + excluded.seen, countable = watched.countable + excluded.countable
    WHERE NOT (watched.seen @> excluded.seen AND watched.countable @> excluded.countable) OR NOT isempty(watched.held)
    RETURNING teacher_id, activity_id, countable, NOT isempty(watched.held) AS is_held
"""


def _add_watched(
    db: Session, gains: Mapping[Pair, tuple[Ranges, Ranges]], videos: Mapping[uuid.UUID, Video]
) -> tuple[set[Pair], set[Pair], set[Pair]]:
    """Add to the sets in one statement; returns the (teacher, activity) pairs that changed, those of them with time held,
    and those whose every second may count now.
    """
    # Sorted by key, so that two batches take their row locks in one order.
    rows = [(pair, *gain) for pair, gain in sorted(gains.items()) if gain[0]]
    if not rows:
        return set(), set(), set()
    result = run_plain(
        db,
        _ADD_WATCHED,
        {
            "teachers": words_of(teacher_id for (teacher_id, _), _, _ in rows),
            "activities": words_of(activity_id for (_, activity_id), _, _ in rows),
            "seen": words_of(ranges_text(seen) for _, seen, _ in rows),
            "countable": words_of(ranges_text(countable) for _, _, countable in rows),
        },
    )
    pairs = {(row.teacher_id, row.activity_id): row for row in result}
    held = {pair for pair, row in pairs.items() if row.is_held}
    whole = {pair for pair, row in pairs.items() if row.countable == ((0, videos[pair[1]].activity.seconds),)}
    return set(pairs), held, whole


def _news(
    changed: set[Pair],
    gains: Mapping[Pair, tuple[Ranges, Ranges]],
    videos: Mapping[uuid.UUID, Video],
    now: dt.datetime,
) -> set[Pair]:
    """The (teacher, activity) pairs that changed the evidence.

    What is merely looked at after the close is history of ours: credits has balanced its books with the counts of
    `study_closed`, so only time that counts may still be added to them.
    """
    return {
        (teacher_id, activity_id)
        for teacher_id, activity_id in changed
        if gains[teacher_id, activity_id][1] or now < videos[activity_id].programme.closes_at
    }


def _to_tell(
    news: set[Pair], videos: Mapping[uuid.UUID, Video], mattering: set[Pair], now: dt.datetime
) -> dict[TeacherCourse, dt.datetime]:
    """By when credits must be told of each (teacher, course): the earliest that one of its videos asks for."""
    tell_by: dict[TeacherCourse, dt.datetime] = {}
    for pair in news:
        video = videos[pair[1]]
        by = telling.tell_by(video.programme.closes_at, now, matters=pair in mattering)
        key = (pair[0], video.course.course_id)
        tell_by[key] = min(by, tell_by.get(key, by))
    return tell_by
