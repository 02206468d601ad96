"""Enrolling a teacher, and keeping the facts that decide whether they may."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.enrolment import queries, rules
from services.learning.enrolment.rules import LearnerFacts
from services.learning.models import Activity, Course, Enrolment, Learner, Programme
from services.shared import clock, outbox
from services.shared.errors import Conflict
from services.shared.newer import keep_newer


@dataclasses.dataclass(frozen=True)
class Enrolled:
    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    code: str
    enrolled_at: dt.datetime
    opens_at: dt.datetime
    closes_at: dt.datetime
    programme_state: rules.ProgrammeState


def enrol(
    db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID, facts: LearnerFacts, now: dt.datetime
) -> Enrolled:
    """Enrol the teacher; who is enrolled already keeps that enrolment, whichever entrance they came through, and also
    when the audience no longer holds them.

    Raises NotFound for an unknown programme, Conflict when a guard of `domain.md` §3.21 refuses.
    """
    programme = queries.get_programme(db, programme_id)
    state = rules.programme_state(programme.opens_at, programme.closes_at, now)
    existing = queries.find_enrolment(db, teacher_id, programme_id)
    if existing is None:
        if refusal := rules.enrolment_refusal(state, programme.audience, facts):
            raise Conflict(refusal)
        existing = _insert_enrolment(db, teacher_id, programme_id, now)
    return describe(existing, programme, now)


def _insert_enrolment(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID, now: dt.datetime) -> Enrolment:
    statement = insert(Enrolment).values(teacher_id=teacher_id, programme_id=programme_id, version=1, enrolled_at=now)
    # Two entrances pressed at the same moment: the second waits here, then finds the first one's row.
    inserted = db.execute(statement.on_conflict_do_nothing().returning(Enrolment.version)).one_or_none()
    if inserted is not None:
        outbox.announce(db, contract.ENROLLED, teacher_id, enrolled_payload(teacher_id, programme_id, now))
    return queries.require_enrolment(db, teacher_id, programme_id)


def take_over_enrolments(db: Session, kept_id: uuid.UUID, merged_id: uuid.UUID) -> None:
    """Enrol a person in whatever their former account was enrolled in, from the same moment."""
    for former in queries.enrolments_of(db, merged_id):
        _insert_enrolment(db, kept_id, former.programme_id, former.enrolled_at)


def enrolled_payload(teacher_id: uuid.UUID, programme_id: uuid.UUID, enrolled_at: dt.datetime) -> dict[str, Any]:
    return {
        "teacher_id": str(teacher_id),
        "programme_id": str(programme_id),
        "version": 1,
        "enrolled_at": clock.format_instant(enrolled_at),
    }


def describe(enrolment: Enrolment, programme: Programme, now: dt.datetime) -> Enrolled:
    return Enrolled(
        teacher_id=enrolment.teacher_id,
        programme_id=enrolment.programme_id,
        code=programme.code,
        enrolled_at=enrolment.enrolled_at,
        opens_at=programme.opens_at,
        closes_at=programme.closes_at,
        programme_state=rules.programme_state(programme.opens_at, programme.closes_at, now),
    )


def keep_programme(db: Session, payload: dict[str, Any]) -> None:
    """Store a published programme with its courses and videos, unless a newer version is known."""
    values = {
        "programme_id": uuid.UUID(payload["programme_id"]),
        "version": payload["version"],
        "code": payload["code"],
        "opens_at": clock.parse_instant(payload["opens_at"]),
        "closes_at": clock.parse_instant(payload["closes_at"]),
        "silence_limit_seconds": payload["silence_limit_seconds"],
        "presence_prompt_seconds": payload.get("presence_prompt_seconds", 0),
        "place": payload.get("place", "CN"),
        "audience": payload.get("audience", {}),
    }
    if not keep_newer(db, Programme, "programme_id", values):
        return
    # Nothing that may have been studied is ever removed by a publication (the catalogue refuses that), so rows stay.
    _keep_all(
        db, Course, "course_id", [_course(payload, place, course) for place, course in enumerate(payload["courses"])]
    )
    _keep_all(
        db,
        Activity,
        "activity_id",
        [
            _activity(payload, course, place, video)
            for course in payload["courses"]
            for place, video in enumerate(course["videos"])
        ],
    )


def keep_learner(db: Session, payload: dict[str, Any]) -> None:
    """Store whether the profile suffices, unless newer news is known."""
    values = {
        "teacher_id": uuid.UUID(payload["account_id"]),
        "version": payload["version"],
        "complete": payload["complete"],
        "segment": payload["segment"],
        "subject": payload["subject"],
    }
    keep_newer(db, Learner, "teacher_id", values)


def _course(programme: dict[str, Any], position: int, course: dict[str, Any]) -> dict[str, Any]:
    return {
        "course_id": uuid.UUID(course["course_id"]),
        "programme_id": uuid.UUID(programme["programme_id"]),
        "position": position,
        "key": course["key"],
        "title": course["title"],
        "opens_at": clock.parse_instant(course["opens_at"]),
        "quiz_required": course["quiz_required"],
    }


def _activity(
    programme: dict[str, Any], course: dict[str, Any], position: int, video: dict[str, Any]
) -> dict[str, Any]:
    return {
        "activity_id": uuid.UUID(video["activity_id"]),
        "course_id": uuid.UUID(course["course_id"]),
        "programme_id": uuid.UUID(programme["programme_id"]),
        "position": position,
        "key": video["key"],
        "title": video["title"],
        "seconds": video["seconds"],
        "quizzes": video["quizzes"],
    }


def _keep_all(db: Session, model: Any, key: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(model).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name != key}
    db.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed))
