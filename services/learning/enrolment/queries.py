"""Selects about programmes and who is enrolled in them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.enrolment.rules import LearnerFacts
from services.learning.models import Enrolment, Learner, Placement, Programme
from services.shared.errors import Conflict, NotFound


def get_programme(db: Session, programme_id: uuid.UUID) -> Programme:
    programme = db.get(Programme, programme_id)
    if programme is None:
        raise NotFound("learning.programme_unknown", "programme_id")
    return programme


def learner_facts(db: Session, teacher_id: uuid.UUID) -> LearnerFacts:
    """What our projections say; they may lag behind identity and org."""
    learner, placement = db.get(Learner, teacher_id), db.get(Placement, teacher_id)
    return LearnerFacts(
        complete=learner is not None and learner.complete,
        segment=learner.segment if learner else "",
        subject=learner.subject if learner else "",
        place=placement.place if placement else "",
        school_id=placement.school_id if placement else None,
    )


def find_audience(db: Session, programme_id: uuid.UUID) -> dict[str, Any]:
    """Whom a programme is for; of one that nobody told us of, everybody."""
    return db.scalar(sa.select(Programme.audience).where(Programme.programme_id == programme_id)) or {}


def find_enrolment(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> Enrolment | None:
    return db.get(Enrolment, (teacher_id, programme_id))


def require_enrolment(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> Enrolment:
    """Study before enrolment is refused (`domain.md` §3.21)."""
    enrolment = find_enrolment(db, teacher_id, programme_id)
    if enrolment is None:
        raise Conflict("learning.not_enrolled")
    return enrolment


def enrolments_of(db: Session, teacher_id: uuid.UUID) -> list[Enrolment]:
    """All of them, in a fixed order."""
    select = sa.select(Enrolment).where(Enrolment.teacher_id == teacher_id).order_by(Enrolment.programme_id)
    return list(db.scalars(select))


def list_enrolments(
    db: Session, teacher_id: uuid.UUID, after: tuple[dt.datetime, uuid.UUID] | None, limit: int
) -> list[tuple[Enrolment, Programme]]:
    """The teacher's enrolments, newest first; `after` is the last one of the page before."""
    key = sa.tuple_(Enrolment.enrolled_at, Enrolment.programme_id)
    select = (
        sa.select(Enrolment, Programme)
        .join(Programme, Programme.programme_id == Enrolment.programme_id)
        .where(Enrolment.teacher_id == teacher_id)
        .order_by(key.desc())
        .limit(limit)
    )
    if after is not None:
        select = select.where(key < after)
    return [(row.Enrolment, row.Programme) for row in db.execute(select)]
