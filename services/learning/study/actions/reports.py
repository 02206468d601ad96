"""Recording study reports by the batch: lock the sessions, ask the rules, write the sets once, announce."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract import reports
from services.learning.models import StudySession, ranges_text
from services.learning.study import queries
from services.learning.study.actions.evidence import announce_progress
from services.learning.study.actions.sessions import MILLISECOND
from services.learning.study.queries import Video
from services.learning.study.rules import earning, multirange, quizzes
from services.learning.study.rules.earning import Accrual, Earned, Terms
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.learning.study.rules.quizzes import QuizStanding
from services.shared import clock


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
class _Gain:
    """What a batch adds for one (teacher, activity)."""

    seen: Ranges = EMPTY
    countable: Ranges = EMPTY

    def add(self, earned: Earned) -> None:
        self.seen = multirange.union(self.seen, earned.seen)
        self.countable = multirange.union(self.countable, earned.countable)


def record_segments(db: Session, batch: Collection[StudyReport], now: dt.datetime) -> None:
    """Record a batch of reports; those taken before change nothing.

    Raises UnknownSessionError for a session that is not here, InvalidInput for segments that the video does not have
    (the gateway lets none through): the caller's halving finds the culprit.
    """
    sessions = queries.lock_study_sessions(db, {report.study_session_id for report in batch})
    videos = queries.list_videos(db, {study_session.activity_id for study_session in sessions.values()})
    answers = queries.list_quiz_standings(db, {(row.teacher_id, row.activity_id) for row in sessions.values()})
    gains: dict[tuple[uuid.UUID, uuid.UUID], _Gain] = {}
    for report in sorted(batch, key=lambda report: (report.received_at, report.seq)):
        study_session = sessions.get(report.study_session_id)
        if study_session is None:
            raise UnknownSessionError(str(report.study_session_id))
        video = videos[study_session.activity_id]
        key = (study_session.teacher_id, study_session.activity_id)
        earned = _take(study_session, video, answers[key], report, now)
        gains.setdefault(key, _Gain()).add(earned)
    changed = _add_watched(db, gains)
    db.flush()
    announce_progress(db, _to_announce(changed, gains, videos, now))


def _take(
    study_session: StudySession,
    video: Video,
    answers: Mapping[uuid.UUID, QuizStanding],
    report: StudyReport,
    now: dt.datetime,
) -> Earned:
    """Ask the rules about one report and move the session's clock."""
    segments = reports.read_segments(report.segments, video.activity.seconds)
    # A gateway's clock may run ahead of ours; time that has not come yet earns nothing.
    received_at = min(report.received_at, now)
    earned = earning.time_earned(
        _accrual(study_session),
        earning.Report(report.seq, _since_opening(study_session, received_at), segments),
        _terms(study_session, video, answers),
    )
    study_session.live, study_session.spent = earned.accrual.live, earned.accrual.spent
    study_session.seqs = earned.accrual.seqs
    study_session.heard_at = max(study_session.heard_at, received_at)
    return earned


def _accrual(study_session: StudySession) -> Accrual:
    heard_ms = _since_opening(study_session, study_session.heard_at)
    accrual = Accrual(study_session.live, study_session.spent, study_session.seqs, heard_ms=heard_ms)
    if study_session.ended_at is None:
        return accrual
    return earning.end_accrual(accrual, _since_opening(study_session, study_session.ended_at))


def _terms(study_session: StudySession, video: Video, answers: Mapping[uuid.UUID, QuizStanding]) -> Terms:
    gates = []
    for quiz in quizzes.in_order(video.quizzes) if video.course.quiz_required else []:
        answer = answers.get(quiz.quiz_id)
        answered_at = answer.answered_at if answer else None
        gates.append((quiz.at_seconds, _since_opening(study_session, answered_at) if answered_at else None))
    return Terms(
        silence_ms=video.programme.silence_limit_seconds * 1000,
        opens_ms=_since_opening(study_session, video.course.opens_at),
        closes_ms=_since_opening(study_session, video.programme.closes_at),
        gates=tuple(gates),
    )


def _since_opening(study_session: StudySession, instant: dt.datetime) -> int:
    # Whole milliseconds, rounded down alike for every instant: an honest minute stays a minute.
    return (instant - study_session.opened_at) // MILLISECOND


_ADD_WATCHED = sa.text("""
    INSERT INTO watched (teacher_id, activity_id, seen, countable)
    SELECT teacher_id, activity_id, seen::int4multirange, countable::int4multirange
    FROM UNNEST(CAST(:teacher_ids AS uuid[]), CAST(:activity_ids AS uuid[]), CAST(:seen AS text[]), CAST(:countable AS text[]))
        AS gain (teacher_id, activity_id, seen, countable)
    ORDER BY teacher_id, activity_id
    ON CONFLICT (teacher_id, activity_id) DO UPDATE
    SET seen = watched.seen + excluded.seen, countable = watched.countable + excluded.countable
    WHERE NOT (watched.seen @> excluded.seen AND watched.countable @> excluded.countable)
    RETURNING teacher_id, activity_id
""")


def _add_watched(db: Session, gains: Mapping[tuple[uuid.UUID, uuid.UUID], _Gain]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Add to the sets in one statement; returns the (teacher, activity) pairs that changed."""
    # Sorted by key, so that two batches take their row locks in one order.
    rows = [(key, gain) for key, gain in sorted(gains.items()) if gain.seen]
    if not rows:
        return set()
    result = db.execute(
        _ADD_WATCHED,
        {
            "teacher_ids": [teacher_id for (teacher_id, _), _ in rows],
            "activity_ids": [activity_id for (_, activity_id), _ in rows],
            "seen": [ranges_text(gain.seen) for _, gain in rows],
            "countable": [ranges_text(gain.countable) for _, gain in rows],
        },
    )
    return {(row.teacher_id, row.activity_id) for row in result}


def _to_announce(
    changed: set[tuple[uuid.UUID, uuid.UUID]],
    gains: Mapping[tuple[uuid.UUID, uuid.UUID], _Gain],
    videos: Mapping[uuid.UUID, Video],
    now: dt.datetime,
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """The (teacher, course) pairs whose evidence is new.

    What is merely looked at after the close is history of ours: credits has balanced its books with the counts of
    `study_closed`, so only time that counts may still be added to them.
    """
    return {
        (teacher_id, videos[activity_id].course.course_id)
        for teacher_id, activity_id in changed
        if gains[teacher_id, activity_id].countable or now < videos[activity_id].programme.closes_at
    }
