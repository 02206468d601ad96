"""Selects of study: what is locked, and what several actions read."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.models import (
    Activity,
    Course,
    Lease,
    Programme,
    StudySession,
)
from services.learning.study.rules import multirange
from services.learning.study.rules.multirange import Ranges
from services.learning.study.rules.quizzes import Quiz, QuizStanding
from services.shared.driver import run_plain
from services.shared.errors import NotFound
from services.shared.many_rows import words_of


@dataclasses.dataclass(frozen=True)
class Video:
    """A video with the terms of its course and programme."""

    activity: Activity
    course: Course
    programme: Programme

    @property
    def quizzes(self) -> list[Quiz]:
        return quizzes_of(self.activity)


def quizzes_of(activity: Activity) -> list[Quiz]:
    return [
        Quiz(uuid.UUID(quiz["quiz_id"]), quiz["at_seconds"], tuple(quiz["options"]), frozenset(quiz["answers"]))
        for quiz in activity.quizzes
    ]


def _videos() -> sa.Select[Activity, Course, Programme]:
    return (
        sa.select(Activity, Course, Programme)
        .join(Course, Course.course_id == Activity.course_id)
        .join(Programme, Programme.programme_id == Activity.programme_id)
    )


def get_video(db: Session, activity_id: uuid.UUID) -> Video:
    row = db.execute(_videos().where(Activity.activity_id == activity_id)).one_or_none()
    if row is None:
        raise NotFound("learning.activity_unknown", "activity_id")
    return Video(row.Activity, row.Course, row.Programme)


def list_videos(db: Session, activity_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Video]:
    rows = db.execute(_videos().where(Activity.activity_id.in_(set(activity_ids))))
    return {row.Activity.activity_id: Video(row.Activity, row.Course, row.Programme) for row in rows}


def list_programme_videos(db: Session, programme_id: uuid.UUID) -> list[Video]:
    """In the programme's own order."""
    rows = db.execute(
        _videos().where(Activity.programme_id == programme_id).order_by(Course.position, Activity.position)
    )
    return [Video(row.Activity, row.Course, row.Programme) for row in rows]


def get_study_session(db: Session, study_session_id: uuid.UUID) -> StudySession:
    study_session = db.get(StudySession, study_session_id)
    if study_session is None:
        raise NotFound("learning.session_unknown")
    return study_session


def lock_lease(db: Session, teacher_id: uuid.UUID) -> Lease:
    """The teacher's lease row, locked: opening study sessions of one teacher happens one after the other."""
    db.execute(insert(Lease).values(teacher_id=teacher_id, study_session_id=None, fence=0).on_conflict_do_nothing())
    return db.scalars(sa.select(Lease).where(Lease.teacher_id == teacher_id).with_for_update()).one()


def lock_study_session(db: Session, study_session_id: uuid.UUID) -> StudySession:
    select = sa.select(StudySession).where(StudySession.study_session_id == study_session_id).with_for_update()
    study_session = db.scalars(select.execution_options(populate_existing=True)).one_or_none()
    if study_session is None:
        raise NotFound("learning.session_unknown")
    return study_session


class LockedSession(NamedTuple):
    """What recording reports asks of a study session."""

    study_session_id: uuid.UUID
    teacher_id: uuid.UUID
    activity_id: uuid.UUID
    opened_at: dt.datetime
    heard_at: dt.datetime
    ended_at: dt.datetime | None
    live: Ranges
    spent: Ranges
    seqs: Ranges
    present: Ranges
    seen: Ranges
    countable: Ranges
    claimed_seconds: int
    held: bool


# Joined and not `= ANY`: of a list PostgreSQL weighs every element each time it plans.
_LOCK_SESSIONS = f"""
    SELECT {", ".join(LockedSession._fields)}
    FROM study_session JOIN UNNEST(string_to_array(%(ids)s, ' ')::uuid[]) AS asked (study_session_id)
        USING (study_session_id)
    ORDER BY study_session_id FOR UPDATE OF study_session
"""  # noqa: S608  the fields are ours


def lock_study_sessions(db: Session, study_session_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, LockedSession]:
    """Locked in the order of their ids, so that two batches never wait for each other."""
    rows = run_plain(db, _LOCK_SESSIONS, {"ids": words_of(study_session_ids)})
    return {row.study_session_id: LockedSession._make(row) for row in rows}


# (teacher, activity) pairs as a table. The text of the statement is one whatever their number, so it is prepared once.
PAIRS = """
    UNNEST(string_to_array(%(teachers)s, ' ')::uuid[], string_to_array(%(activities)s, ' ')::uuid[])
        AS pair (teacher_id, activity_id)
"""


def pair_words(pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> dict[str, str]:
    """The parameters of `PAIRS`."""
    ordered = list(set(pairs))
    return {
        "teachers": words_of(teacher_id for teacher_id, _ in ordered),
        "activities": words_of(activity_id for _, activity_id in ordered),
    }


_LIST_ANSWERS = f"""
    SELECT teacher_id, activity_id, quiz_id, attempts, answered_at
    FROM quiz_answer JOIN {PAIRS} USING (teacher_id, activity_id)
"""  # noqa: S608  ours


def list_answers(
    db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, QuizStanding]]:
    """How (teacher, activity) pairs stand at their quizzes, by the answers given under that very account."""
    found: dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, QuizStanding]] = {pair: {} for pair in pairs}
    for answer in run_plain(db, _LIST_ANSWERS, pair_words(pairs)):
        found[answer.teacher_id, answer.activity_id][answer.quiz_id] = QuizStanding(answer.attempts, answer.answered_at)
    return found


class WatchedSets(NamedTuple):
    """The sets of one (teacher, activity)."""

    seen: Ranges
    countable: Ranges
    held: Ranges


_LIST_WATCHED = f"""
    SELECT teacher_id, activity_id, seen, countable, held FROM watched JOIN {PAIRS} USING (teacher_id, activity_id)
"""  # noqa: S608  ours


def list_watched(
    db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], WatchedSets]:
    """The watched sets of (teacher, activity) pairs; pairs that were never studied are missing."""
    rows = run_plain(db, _LIST_WATCHED, pair_words(pairs))
    return {(row.teacher_id, row.activity_id): WatchedSets(row.seen, row.countable, row.held) for row in rows}


_LIST_MERGED = """
    WITH asked AS MATERIALIZED (SELECT UNNEST(string_to_array(%(teachers)s, ' ')::uuid[]) AS id)
    SELECT merged_id, kept_id FROM merged_person JOIN asked ON merged_id = id WHERE live
    UNION SELECT merged_id, kept_id FROM merged_person JOIN asked ON kept_id = id WHERE live
"""


def list_accounts(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, ...]]:
    """The accounts whose study counts as each teacher's: the own one and former ones; none of one merged into another."""
    accounts: dict[uuid.UUID, tuple[uuid.UUID, ...]] = {teacher_id: (teacher_id,) for teacher_id in teacher_ids}
    for former in run_plain(db, _LIST_MERGED, {"teachers": words_of(accounts)}):
        if former.merged_id in accounts:
            accounts[former.merged_id] = ()
        if former.kept_id in accounts:
            accounts[former.kept_id] += (former.merged_id,)
    return accounts


def list_remaining_accounts(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """{former account: the account that its person has now}, of those teachers who were merged into another."""
    wanted = set(teacher_ids)
    merged = run_plain(db, _LIST_MERGED, {"teachers": words_of(wanted)})
    return {former.merged_id: former.kept_id for former in merged if former.merged_id in wanted}


@dataclasses.dataclass(frozen=True)
class Study:
    """What a person studied of one video, under all their accounts; `held` would count, but waits for a review."""

    seen: Ranges
    countable: Ranges
    held: Ranges
    answers: dict[uuid.UUID, QuizStanding]

    @property
    def is_empty(self) -> bool:
        return not (self.seen or self.answers)


def list_study(db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> dict[tuple[uuid.UUID, uuid.UUID], Study]:
    """The study of (teacher, activity) pairs. Of a teacher who was merged into another: nothing, it counts there."""
    accounts = list_accounts(db, {teacher_id for teacher_id, _ in pairs})
    asked = [(account, activity_id) for teacher_id, activity_id in pairs for account in accounts[teacher_id]]
    watched, answers = list_watched(db, asked), list_answers(db, asked)
    return {
        (teacher_id, activity_id): _together(
            [watched[account, activity_id] for account in accounts[teacher_id] if (account, activity_id) in watched],
            [answers[account, activity_id] for account in accounts[teacher_id]],
        )
        for teacher_id, activity_id in pairs
    }


def list_quiz_standings(
    db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, QuizStanding]]:
    """How (teacher, activity) pairs stand at their quizzes: what a former account answered need not be answered again."""
    accounts = list_accounts(db, {teacher_id for teacher_id, _ in pairs})
    # A late report of an account that was merged is judged by that account's own answers.
    own = {teacher_id: found or (teacher_id,) for teacher_id, found in accounts.items()}
    answers = list_answers(
        db, [(account, activity_id) for teacher_id, activity_id in pairs for account in own[teacher_id]]
    )
    return {
        (teacher_id, activity_id): _standings([answers[account, activity_id] for account in own[teacher_id]])
        for teacher_id, activity_id in pairs
    }


def _together(watched: list[WatchedSets], answers: list[dict[uuid.UUID, QuizStanding]]) -> Study:
    countable = multirange.union(*(multirange.subtraction(row.countable, row.held) for row in watched))
    return Study(
        seen=multirange.union(*(row.seen for row in watched)),
        countable=countable,
        held=multirange.subtraction(multirange.union(*(row.held for row in watched)), countable),
        answers=_standings(answers),
    )


def _standings(answers: list[dict[uuid.UUID, QuizStanding]]) -> dict[uuid.UUID, QuizStanding]:
    found: dict[uuid.UUID, QuizStanding] = {}
    for quiz_id, standing in (each for account in answers for each in account.items()):
        found[quiz_id] = found[quiz_id] | standing if quiz_id in found else standing
    return found


def find_shard(db: Session, teacher_id: uuid.UUID, shards: int) -> int:
    """The shard of a teacher's reports: partitions are dealt out to shards, so no two shards share a partition."""
    partition = db.scalar(sa.select(sa.func.watched_partition(teacher_id, type_=sa.Integer)))
    assert partition is not None
    return partition % shards
