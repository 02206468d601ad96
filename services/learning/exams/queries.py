"""Selects of exams: what is locked, and what several actions read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.exams.models import Exam, ExamAttempt, ExamQuestion, ExamResult
from services.learning.exams.rules import AttemptState, Pool, Terms
from services.learning.models import Course
from services.learning.study import queries as study
from services.learning.study.rules import multirange
from services.shared.errors import NotFound

UNKNOWN_EXAM = "learning.exam_unknown"
UNKNOWN_ATTEMPT = "learning.attempt_unknown"


def get_exam(db: Session, exam_id: uuid.UUID) -> Exam:
    exam = db.get(Exam, exam_id)
    if exam is None:
        raise NotFound(UNKNOWN_EXAM, "exam_id")
    return exam


def list_exams(db: Session, programme_id: uuid.UUID) -> list[Exam]:
    """In the order in which they open; the programme's own comes last of its moment."""
    order = (Exam.opens_at, Exam.course_id.is_(None), Exam.key)
    return list(db.scalars(sa.select(Exam).where(Exam.programme_id == programme_id).order_by(*order)))


def terms_of(exam: Exam) -> Terms:
    return Terms(exam.opens_at, exam.closes_at, exam.minutes, exam.attempts, exam.pass_mark)


def pools_of(exam: Exam) -> list[Pool]:
    return [
        Pool(pool["count"], pool["points"], tuple(uuid.UUID(each) for each in pool["question_ids"]))
        for pool in exam.draw
    ]


def find_questions(db: Session, question_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ExamQuestion]:
    rows = db.scalars(sa.select(ExamQuestion).where(ExamQuestion.question_id.in_(set(question_ids))))
    return {row.question_id: row for row in rows}


def get_attempt(db: Session, attempt_id: uuid.UUID, *, lock: bool = False) -> ExamAttempt:
    """Raises NotFound. Row security hides everybody else's from a teacher."""
    select = sa.select(ExamAttempt).where(ExamAttempt.attempt_id == attempt_id)
    if lock:
        select = select.with_for_update().execution_options(populate_existing=True)
    attempt = db.scalars(select).one_or_none()
    if attempt is None:
        raise NotFound(UNKNOWN_ATTEMPT)
    return attempt


def lock_open_attempt(db: Session, teacher_id: uuid.UUID, exam_id: uuid.UUID) -> ExamAttempt | None:
    select = sa.select(ExamAttempt).where(
        ExamAttempt.teacher_id == teacher_id,
        ExamAttempt.exam_id == exam_id,
        ExamAttempt.state == AttemptState.OPEN,
    )
    return db.scalars(select.with_for_update().execution_options(populate_existing=True)).one_or_none()


def lock_result(db: Session, teacher_id: uuid.UUID, exam: Exam) -> ExamResult:
    """The teacher's row of this exam, locked: attempts of one teacher begin one after the other."""
    first = {
        "teacher_id": teacher_id,
        "exam_id": exam.exam_id,
        "programme_id": exam.programme_id,
        "version": 0,
        "passed": False,
    }
    db.execute(insert(ExamResult).values(first).on_conflict_do_nothing())
    select = sa.select(ExamResult).where(ExamResult.teacher_id == teacher_id, ExamResult.exam_id == exam.exam_id)
    return db.scalars(select.with_for_update().execution_options(populate_existing=True)).one()


def list_attempts(db: Session, accounts: Collection[uuid.UUID], exam_ids: Collection[uuid.UUID]) -> list[ExamAttempt]:
    """Of a person's accounts, in the order in which they began."""
    select = sa.select(ExamAttempt).where(ExamAttempt.teacher_id.in_(accounts), ExamAttempt.exam_id.in_(exam_ids))
    return list(db.scalars(select.order_by(ExamAttempt.started_at, ExamAttempt.attempt_id)))


def count_attempts(db: Session, accounts: Collection[uuid.UUID], exam_id: uuid.UUID) -> int:
    select = sa.select(sa.func.count()).where(ExamAttempt.teacher_id.in_(accounts), ExamAttempt.exam_id == exam_id)
    return db.execute(select).scalar_one()


def list_results(db: Session, accounts: Collection[uuid.UUID], exam_ids: Collection[uuid.UUID]) -> list[ExamResult]:
    select = sa.select(ExamResult).where(ExamResult.teacher_id.in_(accounts), ExamResult.exam_id.in_(exam_ids))
    return list(db.scalars(select.execution_options(populate_existing=True)))


def lock_overdue(db: Session, now: dt.datetime, limit: int) -> list[ExamAttempt]:
    """Open attempts whose time is over and that nobody else is ending, the longest overdue first."""
    select = (
        sa.select(ExamAttempt)
        .where(ExamAttempt.state == AttemptState.OPEN, ExamAttempt.deadline_at <= now)
        .order_by(ExamAttempt.deadline_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(db.scalars(select))


def course_titles(db: Session, course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db.execute(sa.select(Course.course_id, Course.title).where(Course.course_id.in_(set(course_ids))))
    return {row.course_id: row.title for row in rows}


def watched_whole(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """Per course of the programme: the seconds of those videos that the person has watched to their end, and that count."""
    videos = study.list_programme_videos(db, programme_id)
    found = study.list_study(db, [(teacher_id, video.activity.activity_id) for video in videos])
    seconds: dict[uuid.UUID, int] = {}
    for video in videos:
        countable = found[teacher_id, video.activity.activity_id].countable
        if multirange.total(countable) == video.activity.seconds:
            seconds[video.course.course_id] = seconds.get(video.course.course_id, 0) + video.activity.seconds
    return seconds
