"""Ending attempts: judge what was saved, keep the best, and tell credits (`architecture.md` decision 8, for scores)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.exams import queries, rules
from services.learning.exams.models import Exam, ExamAttempt, ExamResult
from services.learning.exams.rules import AttemptState
from services.learning.study.queries import list_accounts, list_remaining_accounts
from services.shared import clock, outbox

TeacherExam = tuple[uuid.UUID, uuid.UUID]
SWEPT_AT_ONCE = 200


def end_attempts(db: Session, attempts: Sequence[ExamAttempt], state: AttemptState, now: dt.datetime) -> None:
    """Judge open attempts, which the caller has locked, by the answers saved in them; an expired one ends at its deadline."""
    questions = queries.find_questions(db, (each for attempt in attempts for each in attempt.question_ids))
    for attempt in attempts:
        right = [
            sorted(given) == questions[question_id].answers
            for question_id, given in zip(attempt.question_ids, attempt.given, strict=True)
        ]
        judged = rules.judge(attempt.points, right, attempt.pass_mark)
        attempt.state = state
        attempt.ended_at = attempt.deadline_at if state is AttemptState.EXPIRED else now
        attempt.score, attempt.right_answers, attempt.passed = judged.score, judged.right, judged.passed
    db.flush()
    _keep_best(db, attempts)
    announce_results(db, {(attempt.teacher_id, attempt.exam_id) for attempt in attempts})


def expire_overdue(db: Session, now: dt.datetime, limit: int = SWEPT_AT_ONCE) -> int:
    """End the next attempts whose time is over; how many there were."""
    overdue = queries.lock_overdue(db, now, limit)
    if overdue:
        end_attempts(db, overdue, AttemptState.EXPIRED, now)
    return len(overdue)


def _keep_best(db: Session, attempts: Sequence[ExamAttempt]) -> None:
    for attempt in sorted(attempts, key=lambda each: (each.teacher_id, each.exam_id)):
        statement = insert(ExamResult).values(
            teacher_id=attempt.teacher_id,
            exam_id=attempt.exam_id,
            programme_id=attempt.programme_id,
            version=0,
            score=attempt.score,
            passed=attempt.passed,
            judged_at=attempt.ended_at,
        )
        new = statement.excluded
        is_better = ExamResult.score.is_(None) | (ExamResult.score < new.score)
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["teacher_id", "exam_id"],
                set_={
                    "score": sa.func.greatest(ExamResult.score, new.score),
                    # A passed attempt stays passed, whatever the pass mark was later.
                    "passed": ExamResult.passed | new.passed,
                    "judged_at": sa.case((is_better, new.judged_at), else_=ExamResult.judged_at),
                },
            )
        )


def announce_results(db: Session, keys: Collection[TeacherExam]) -> None:
    """Announce each teacher's best result, with the next version; in the caller's transaction.

    Of somebody with a former account it is the better of both; of one that was merged into another, none.
    """
    if not keys:
        return
    remaining = list_remaining_accounts(db, {teacher_id for teacher_id, _ in keys})
    keys = {*keys, *((remaining[teacher_id], exam_id) for teacher_id, exam_id in keys if teacher_id in remaining)}
    exams = {
        row.exam_id: row for row in db.scalars(sa.select(Exam).where(Exam.exam_id.in_({each for _, each in keys})))
    }
    versions = {}
    for teacher_id, exam_id in sorted(keys):
        statement = insert(ExamResult).values(
            teacher_id=teacher_id, exam_id=exam_id, programme_id=exams[exam_id].programme_id, version=1, passed=False
        )
        versions[teacher_id, exam_id] = db.scalars(
            statement.on_conflict_do_update(
                index_elements=["teacher_id", "exam_id"], set_={"version": ExamResult.version + 1}
            ).returning(ExamResult.version)
        ).one()
    payloads = judged_payloads(db, versions)
    events = [(teacher_id, payload) for (teacher_id, _), payload in payloads.items()]
    outbox.announce_many(db, contract.EXAM_JUDGED, events)


def judged_payloads(db: Session, versions: Mapping[TeacherExam, int]) -> dict[TeacherExam, dict[str, Any]]:
    """Present results under versions that were announced: what `learning.exam_judged` would say now."""
    exam_ids = {exam_id for _, exam_id in versions}
    exams = {row.exam_id: row for row in db.scalars(sa.select(Exam).where(Exam.exam_id.in_(exam_ids)))}
    accounts = list_accounts(db, {teacher_id for teacher_id, _ in versions})
    rows = queries.list_results(db, {account for each in accounts.values() for account in each}, exam_ids)
    found = {(row.teacher_id, row.exam_id): row for row in rows}
    return {
        (teacher_id, exam_id): _payload(
            teacher_id,
            exams[exam_id],
            version,
            [found[account, exam_id] for account in accounts[teacher_id] if (account, exam_id) in found],
        )
        for (teacher_id, exam_id), version in versions.items()
    }


def _payload(teacher_id: uuid.UUID, exam: Exam, version: int, results: Sequence[ExamResult]) -> dict[str, Any]:
    best = max((row for row in results if row.score is not None), key=lambda row: row.score or 0, default=None)
    return {
        "teacher_id": str(teacher_id),
        "programme_id": str(exam.programme_id),
        "course_id": str(exam.course_id) if exam.course_id else None,
        "exam_id": str(exam.exam_id),
        "version": version,
        "score": f"{best.score:.2f}" if best else None,
        "passed": any(row.passed for row in results),
        "judged_at": clock.format_instant(best.judged_at) if best and best.judged_at else None,
    }


def announce_merged(db: Session, accounts: Collection[uuid.UUID]) -> None:
    """Accounts were found to be one person's, or no longer: announce what each of them has reached now."""
    rows = db.execute(sa.select(ExamResult.exam_id).where(ExamResult.teacher_id.in_(accounts)).distinct())
    announce_results(db, {(account, row.exam_id) for row in rows for account in accounts})
