"""Snapshots of what a teacher studied of a course, versioned, for credits (`architecture.md` decision 8)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.models import Activity
from services.learning.study import queries
from services.learning.study.queries import Study
from services.learning.study.rules import quizzes
from services.learning.study.rules.quizzes import QuizStanding
from services.shared import clock, outbox
from services.shared.many_rows import words_of

TeacherCourse = tuple[uuid.UUID, uuid.UUID]


def announce_progress(db: Session, keys: Collection[TeacherCourse]) -> None:
    """Announce the present state of each (teacher, course), with the next version; in the caller's transaction.

    The version row is locked before the state is read: of two transactions the later version always holds what the
    earlier one wrote.
    """
    if not keys:
        return
    db.flush()  # what follows reads past the session
    # A late report of an account that was merged into another counts there.
    remaining = queries.list_remaining_accounts(db, {teacher_id for teacher_id, _ in keys})
    keys = {*keys, *((remaining[teacher_id], course_id) for teacher_id, course_id in keys if teacher_id in remaining)}
    activities = _list_activities(db, {course_id for _, course_id in keys})
    versions = _next_versions(db, sorted(keys), activities)
    payloads = _payloads(db, versions, activities)
    events = [(teacher_id, payload) for (teacher_id, _), payload in payloads.items()]
    outbox.announce_many(db, contract.COURSE_PROGRESSED, events)


def progress_payloads(db: Session, versions: Mapping[TeacherCourse, int]) -> dict[TeacherCourse, dict[str, Any]]:
    """Present state under versions that were announced before: what `learning.course_progressed` would say now."""
    return _payloads(db, versions, _list_activities(db, {course_id for _, course_id in versions}))


def _payloads(
    db: Session, versions: Mapping[TeacherCourse, int], activities: dict[uuid.UUID, list[Activity]]
) -> dict[TeacherCourse, dict[str, Any]]:
    pairs = [
        (teacher_id, activity.activity_id) for teacher_id, course_id in versions for activity in activities[course_id]
    ]
    study = queries.list_study(db, pairs)
    payloads = {}
    for (teacher_id, course_id), version in versions.items():
        videos = [
            _video(activity, study[teacher_id, activity.activity_id])
            for activity in activities[course_id]
            if not study[teacher_id, activity.activity_id].is_empty
        ]
        payloads[teacher_id, course_id] = {
            "teacher_id": str(teacher_id),
            "programme_id": str(activities[course_id][0].programme_id),
            "course_id": str(course_id),
            "version": version,
            "videos": videos,
        }
    return payloads


def _list_activities(db: Session, course_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Activity]]:
    found: dict[uuid.UUID, list[Activity]] = {}
    select = sa.select(Activity).where(Activity.course_id.in_(course_ids)).order_by(Activity.position)
    for activity in db.scalars(select):
        found.setdefault(activity.course_id, []).append(activity)
    return found


# Texts and not a row of VALUES each: one statement whatever the size of the batch, so it is prepared once.
_NEXT_VERSIONS = sa.text("""
    INSERT INTO course_evidence (teacher_id, course_id, programme_id, version, announced_at)
    SELECT teacher_id, course_id, programme_id, 1, :now
    FROM UNNEST(CAST(string_to_array(:teacher_ids, ' ') AS uuid[]), CAST(string_to_array(:course_ids, ' ') AS uuid[]),
                CAST(string_to_array(:programme_ids, ' ') AS uuid[]))
        AS changed (teacher_id, course_id, programme_id)
    ORDER BY teacher_id, course_id
    ON CONFLICT (teacher_id, course_id)
        DO UPDATE SET version = course_evidence.version + 1, announced_at = excluded.announced_at
    RETURNING teacher_id, course_id, version
""")


def _next_versions(
    db: Session, keys: list[TeacherCourse], activities: dict[uuid.UUID, list[Activity]]
) -> dict[TeacherCourse, int]:
    rows = db.execute(
        _NEXT_VERSIONS,
        {
            "teacher_ids": words_of(teacher_id for teacher_id, _ in keys),
            "course_ids": words_of(course_id for _, course_id in keys),
            "programme_ids": words_of(activities[course_id][0].programme_id for _, course_id in keys),
            "now": clock.now(),
        },
    )
    return {(row.teacher_id, row.course_id): row.version for row in rows}


def _video(activity: Activity, study: Study) -> dict[str, Any]:
    held = {"held": [list(part) for part in study.held]} if study.held else {}
    return {
        **held,
        "activity_id": str(activity.activity_id),
        "duration_seconds": activity.seconds,
        "seen": [list(part) for part in study.seen],
        "countable": [list(part) for part in study.countable],
        "quizzes": [
            {
                "quiz_id": str(quiz.quiz_id),
                "at_seconds": quiz.at_seconds,
                "answered_at": _answered_at(study.answers.get(quiz.quiz_id)),
            }
            for quiz in quizzes.in_order(queries.quizzes_of(activity))
        ],
    }


def _answered_at(answer: QuizStanding | None) -> str | None:
    return clock.format_instant(answer.answered_at) if answer and answer.answered_at else None
