"""Snapshots of what a teacher studied of a course, versioned, for credits (`architecture.md` decision 8)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.models import Activity, CourseEvidence
from services.learning.study import queries
from services.learning.study.queries import Study
from services.learning.study.rules import quizzes, telling
from services.learning.study.rules.quizzes import QuizStanding
from services.shared import clock, outbox
from services.shared.driver import run_plain
from services.shared.many_rows import words_of

TeacherCourse = tuple[uuid.UUID, uuid.UUID]


class Version(NamedTuple):
    """A version of what is told of a (teacher, course), and when the last of it was studied, answered or decided."""

    number: int
    studied_at: dt.datetime


def announce_progress(db: Session, keys: Collection[TeacherCourse]) -> None:
    """Announce the present state of each (teacher, course), with the next version; in the caller's transaction.

    Whatever changed it, changed it now.
    """
    note_progress(db, dict.fromkeys(keys, telling.AT_ONCE), clock.now())


def note_progress(db: Session, changed: Mapping[TeacherCourse, dt.datetime], now: dt.datetime) -> None:
    """Announce what is due of the (teacher, course) pairs that changed now, and note when the rest has to be told.

    Each comes with the instant by which it must be told (`telling.tell_by`); what was told less than `TOLD_WITHIN` ago
    may wait until then. The note is a part of the version row, so it commits with the study and outlives the process.

    """
    _tell(db, changed, now, now)


def _tell(
    db: Session, changed: Mapping[TeacherCourse, dt.datetime], now: dt.datetime, studied_at: dt.datetime | None
) -> None:
    """`studied_at` is None where only the telling is new.

    The version row is locked before the state is read: of two transactions the later version always holds what the
    earlier one wrote.
    """
    if not changed:
        return
    db.flush()  # what follows reads past the session
    # A late report of an account that was merged into another counts there.
    remaining = queries.list_remaining_accounts(db, {teacher_id for teacher_id, _ in changed})
    there = {
        (remaining[teacher_id], course_id): by
        for (teacher_id, course_id), by in changed.items()
        if teacher_id in remaining
    }
    activities = _list_activities(db, {course_id for _, course_id in changed})
    told = _next_versions(db, {**there, **changed}, now, studied_at, activities)
    payloads = _payloads(db, told, activities)
    events = [(teacher_id, payload) for (teacher_id, _), payload in payloads.items()]
    outbox.announce_many(db, contract.COURSE_PROGRESSED, events)


_NOTED = sa.select(CourseEvidence.teacher_id, CourseEvidence.course_id).where(CourseEvidence.due_at.is_not(None))


def list_due(db: Session, now: dt.datetime, limit: int) -> list[TeacherCourse]:
    """What has to be told by now and nobody else is telling, the longest due first; locked."""
    due = _NOTED.where(CourseEvidence.due_at <= now).order_by(CourseEvidence.due_at).limit(limit)
    return [(row.teacher_id, row.course_id) for row in db.execute(due.with_for_update(skip_locked=True))]


def tell_due(db: Session, now: dt.datetime, limit: int) -> int:
    """Announce what is due; returns how many."""
    return announce_noted(db, list_due(db, now, limit))


def tell_programme(db: Session, programme_id: uuid.UUID) -> int:
    """Announce all that is noted of a programme: nothing may follow once its study is counted."""
    noted = _NOTED.where(CourseEvidence.programme_id == programme_id)
    return announce_noted(db, [(row.teacher_id, row.course_id) for row in db.execute(noted.with_for_update())])


def tell_teacher(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> int:
    """Announce all that is noted of a teacher in a programme, because somebody looks."""
    noted = _NOTED.where(CourseEvidence.teacher_id == teacher_id, CourseEvidence.programme_id == programme_id)
    return announce_noted(db, [(row.teacher_id, row.course_id) for row in db.execute(noted.with_for_update())])


def announce_noted(db: Session, keys: Collection[TeacherCourse]) -> int:
    """Announce what was studied before and waits to be told; returns how many."""
    _tell(db, dict.fromkeys(keys, telling.AT_ONCE), clock.now(), None)
    return len(keys)


def put_off(db: Session, key: TeacherCourse, until: dt.datetime) -> None:
    """Have something told later that could not be told now."""
    teacher_id, course_id = key
    its_own = (CourseEvidence.teacher_id == teacher_id, CourseEvidence.course_id == course_id)
    db.execute(sa.update(CourseEvidence).where(*its_own, CourseEvidence.due_at.is_not(None)).values(due_at=until))


def hasten(db: Session, teacher_id: uuid.UUID, course_id: uuid.UUID, now: dt.datetime) -> None:
    """Have what is noted of a (teacher, course) told next, because the sitting has ended."""
    noted = (CourseEvidence.teacher_id == teacher_id, CourseEvidence.course_id == course_id)
    db.execute(sa.update(CourseEvidence).where(*noted, CourseEvidence.due_at > now).values(due_at=now))


def is_anything_due(now: Any) -> sa.ColumnElement[bool]:
    """Whether anything had to be told by `now` and was not yet: a condition, for whoever must wait for it."""
    return sa.exists().where(CourseEvidence.due_at <= now)


def progress_payloads(db: Session, versions: Mapping[TeacherCourse, Version]) -> dict[TeacherCourse, dict[str, Any]]:
    """Present state under versions that were announced before: what `learning.course_progressed` would say now."""
    return _payloads(db, versions, _list_activities(db, {course_id for _, course_id in versions}))


def _payloads(
    db: Session, versions: Mapping[TeacherCourse, Version], activities: dict[uuid.UUID, list[Activity]]
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
            "version": version.number,
            "studied_at": clock.format_instant(version.studied_at),
            "videos": videos,
        }
    return payloads


def _list_activities(db: Session, course_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Activity]]:
    found: dict[uuid.UUID, list[Activity]] = {}
    select = sa.select(Activity).where(Activity.course_id.in_(course_ids)).order_by(Activity.position)
    for activity in db.scalars(select):
        found.setdefault(activity.course_id, []).append(activity)
    return found


# Texts and not a row of VALUES each: one statement whatever the size of the batch, so it is prepared once. What was told
# lately is read before the row is locked: somebody who tells it meanwhile makes this one tell too early, and never late.
_NEXT_VERSIONS = """
    INSERT INTO course_evidence AS kept (teacher_id, course_id, programme_id, version, announced_at, studied_at, due_at)
    SELECT changed.teacher_id, changed.course_id, changed.programme_id, 1, %(now)s,
        coalesce(%(studied_at)s::timestamptz, %(now)s),
        CASE WHEN told.teacher_id IS NOT NULL AND next.due_at > %(now)s THEN next.due_at END
    FROM UNNEST(string_to_array(%(teachers)s, ' ')::uuid[], string_to_array(%(courses)s, ' ')::uuid[],
                string_to_array(%(programmes)s, ' ')::uuid[], string_to_array(%(tell_by)s, ' ')::timestamptz[])
            AS changed (teacher_id, course_id, programme_id, tell_by)
        LEFT JOIN course_evidence AS told USING (teacher_id, course_id)
        CROSS JOIN LATERAL (
            SELECT least(changed.tell_by, told.due_at, told.announced_at + %(within)s) AS due_at) AS next
    ORDER BY changed.teacher_id, changed.course_id
    ON CONFLICT (teacher_id, course_id) DO UPDATE SET
        version = kept.version + (excluded.due_at IS NULL)::integer,
        announced_at = CASE WHEN excluded.due_at IS NULL THEN excluded.announced_at ELSE kept.announced_at END,
        studied_at = coalesce(%(studied_at)s, kept.studied_at, kept.announced_at),
        due_at = CASE WHEN excluded.due_at IS NOT NULL THEN least(kept.due_at, excluded.due_at) END
    RETURNING teacher_id, course_id, version, studied_at, due_at IS NULL AS is_told
"""


def _next_versions(
    db: Session,
    changed: Mapping[TeacherCourse, dt.datetime],
    now: dt.datetime,
    studied_at: dt.datetime | None,
    activities: dict[uuid.UUID, list[Activity]],
) -> dict[TeacherCourse, Version]:
    """The versions of those that are to be told now."""
    keys = list(changed)
    rows = run_plain(
        db,
        _NEXT_VERSIONS,
        {
            "teachers": words_of(teacher_id for teacher_id, _ in keys),
            "courses": words_of(course_id for _, course_id in keys),
            "programmes": words_of(activities[course_id][0].programme_id for _, course_id in keys),
            "tell_by": words_of(clock.format_instant(changed[key]) for key in keys),
            "now": now,
            "studied_at": studied_at,
            "within": telling.TOLD_WITHIN,
        },
    )
    return {(row.teacher_id, row.course_id): Version(row.version, row.studied_at) for row in rows if row.is_told}


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
