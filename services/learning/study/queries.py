"""Selects of study: what is locked, and what several actions read."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.learning.models import (
    Activity,
    Course,
    Lease,
    MergedPerson,
    Programme,
    QuizAnswer,
    StudySession,
    Watched,
)
from services.learning.study.rules import multirange
from services.learning.study.rules.multirange import Ranges
from services.learning.study.rules.quizzes import Quiz, QuizStanding
from services.shared.errors import NotFound

_UUIDS = ARRAY(sa.Uuid)


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


def lock_study_sessions(db: Session, study_session_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StudySession]:
    """Locked in the order of their ids, so that two batches never wait for each other."""
    rows = db.scalars(
        sa.select(StudySession)
        .where(StudySession.study_session_id.in_(study_session_ids))
        .order_by(StudySession.study_session_id)
        .with_for_update()
    )
    return {row.study_session_id: row for row in rows}


def list_answers(
    db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, QuizAnswer]]:
    """The quiz rows of (teacher, activity) pairs."""
    found: dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, QuizAnswer]] = {pair: {} for pair in pairs}
    keys = _pairs_table(pairs)
    select = sa.select(QuizAnswer).join(
        keys, sa.and_(QuizAnswer.teacher_id == keys.c.teacher_id, QuizAnswer.activity_id == keys.c.activity_id)
    )
    for answer in db.scalars(select):
        found[answer.teacher_id, answer.activity_id][answer.quiz_id] = answer
    return found


def list_watched(
    db: Session, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], Watched]:
    """The watched rows of (teacher, activity) pairs; pairs that were never studied are missing."""
    keys = _pairs_table(pairs)
    select = sa.select(Watched).join(
        keys, sa.and_(Watched.teacher_id == keys.c.teacher_id, Watched.activity_id == keys.c.activity_id)
    )
    rows = db.scalars(select.execution_options(populate_existing=True))
    return {(row.teacher_id, row.activity_id): row for row in rows}


def list_accounts(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, ...]]:
    """The accounts whose study counts as each teacher's: the own one and former ones; none of one merged into another."""
    accounts: dict[uuid.UUID, tuple[uuid.UUID, ...]] = {teacher_id: (teacher_id,) for teacher_id in teacher_ids}
    for former in db.scalars(
        sa.select(MergedPerson).where(
            MergedPerson.live, sa.or_(MergedPerson.merged_id.in_(accounts), MergedPerson.kept_id.in_(accounts))
        )
    ):
        if former.merged_id in accounts:
            accounts[former.merged_id] = ()
        if former.kept_id in accounts:
            accounts[former.kept_id] += (former.merged_id,)
    return accounts


def list_remaining_accounts(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """{former account: the account that its person has now}, of those teachers who were merged into another."""
    merged = db.scalars(sa.select(MergedPerson).where(MergedPerson.live, MergedPerson.merged_id.in_(set(teacher_ids))))
    return {former.merged_id: former.kept_id for former in merged}


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


def _together(watched: list[Watched], answers: list[dict[uuid.UUID, QuizAnswer]]) -> Study:
    countable = multirange.union(*(multirange.subtraction(row.countable, row.held) for row in watched))
    return Study(
        seen=multirange.union(*(row.seen for row in watched)),
        countable=countable,
        held=multirange.subtraction(multirange.union(*(row.held for row in watched)), countable),
        answers=_standings(answers),
    )


def _standings(answers: list[dict[uuid.UUID, QuizAnswer]]) -> dict[uuid.UUID, QuizStanding]:
    found: dict[uuid.UUID, QuizStanding] = {}
    for answer in (each for account in answers for each in account.values()):
        standing = QuizStanding(answer.attempts, answer.answered_at)
        found[answer.quiz_id] = found[answer.quiz_id] | standing if answer.quiz_id in found else standing
    return found


def _pairs_table(pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> Any:
    ordered = sorted(set(pairs))
    return (
        sa.func.unnest(
            sa.bindparam(None, [teacher_id for teacher_id, _ in ordered], _UUIDS, unique=True),
            sa.bindparam(None, [activity_id for _, activity_id in ordered], _UUIDS, unique=True),
        )
        .table_valued(sa.column("teacher_id", sa.Uuid), sa.column("activity_id", sa.Uuid))
        .render_derived()
    )


def find_shard(db: Session, teacher_id: uuid.UUID, shards: int) -> int:
    """The shard of a teacher's reports: partitions are dealt out to shards, so no two shards share a partition."""
    partition = db.scalar(sa.select(sa.func.watched_partition(teacher_id, type_=sa.Integer)))
    assert partition is not None
    return partition % shards
