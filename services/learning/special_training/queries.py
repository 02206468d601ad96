"""Selects of special training."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.bulk.models import LearnerNumber
from services.learning.contract.special_training import TrainingBucket, TrainingState
from services.learning.models import Learner, Placement
from services.learning.selection.models import EmploymentStatus
from services.learning.selection.rules import ON_DUTY, Chooser
from services.learning.special_training import rules
from services.learning.special_training.models import (
    Attendance,
    CheckInSecret,
    ClassSession,
    TrainingApplication,
    TrainingClass,
    TrainingProject,
    TrainingStep,
)
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

NO_PROJECT = "learning.project_unknown"
NO_APPLICATION = "learning.application_unknown"
NO_SESSION = "learning.class_session_unknown"
PUBLISHED = "PUBLISHED"

_states = TrainingApplication.state


def get_project(db: Session, project_id: uuid.UUID) -> TrainingProject:
    """Raises NotFound("learning.project_unknown")."""
    if (project := db.get(TrainingProject, project_id)) is None:
        raise NotFound(NO_PROJECT, "project_id")
    return project


def get_project_held_open(db: Session, project_id: uuid.UUID) -> TrainingProject:
    """As `get_project`; no news of it comes in before this transaction ends, and many may hold it at once."""
    select = sa.select(TrainingClass).where(TrainingClass.project_id == project_id)
    db.execute(select.with_for_update(read=True))
    return get_project(db, project_id)


def lock_class(db: Session, project_id: uuid.UUID) -> TrainingClass:
    """Whoever admits, or changes what is written on its door, passes here one after the other."""
    if (training_class := lock_class_seen(db, project_id)) is None:
        raise NotFound(NO_PROJECT, "project_id")
    return training_class


def lock_class_seen(db: Session, project_id: uuid.UUID) -> TrainingClass | None:
    """As `lock_class`; None where the caller does not see it."""
    select = sa.select(TrainingClass).where(TrainingClass.project_id == project_id).with_for_update()
    return db.scalars(select.execution_options(populate_existing=True)).one_or_none()


def find_teacher(db: Session, teacher_id: uuid.UUID) -> Chooser:
    """The teacher as our projections know her."""
    placed, learner = db.get(Placement, teacher_id), db.get(Learner, teacher_id)
    employment = db.get(EmploymentStatus, teacher_id)
    return Chooser(
        placed.state if placed else "",
        placed.place if placed else "",
        placed.school_id if placed else None,
        learner.segment if learner else "",
        learner.subject if learner else "",
        employment.status if employment else ON_DUTY,
    )


def get_application(db: Session, application_id: uuid.UUID, *, lock: bool = False) -> TrainingApplication:
    """Raises NotFound("learning.application_unknown")."""
    select = sa.select(TrainingApplication).where(TrainingApplication.application_id == application_id)
    if lock:
        select = select.with_for_update().execution_options(populate_existing=True)
    if (application := db.scalars(select).one_or_none()) is None:
        raise NotFound(NO_APPLICATION, "application_id")
    return application


def lock_application_of(db: Session, teacher_id: uuid.UUID, project_id: uuid.UUID) -> TrainingApplication | None:
    select = sa.select(TrainingApplication).where(
        TrainingApplication.teacher_id == teacher_id, TrainingApplication.project_id == project_id
    )
    return db.scalars(select.with_for_update()).one_or_none()


def lock_voidable(db: Session, project_id: uuid.UUID) -> list[TrainingApplication]:
    select = sa.select(TrainingApplication).where(
        TrainingApplication.project_id == project_id, _states.in_(sorted(rules.VOIDABLE))
    )
    return list(db.scalars(select.order_by(TrainingApplication.application_id).with_for_update()))


def count_steps(db: Session, application_id: uuid.UUID) -> int:
    select = sa.select(sa.func.count()).where(TrainingStep.application_id == application_id)
    return db.scalar(select) or 0


def list_steps(db: Session, application_id: uuid.UUID) -> Sequence[TrainingStep]:
    select = sa.select(TrainingStep).where(TrainingStep.application_id == application_id)
    return db.scalars(select.order_by(TrainingStep.position)).all()


# --- lists ---------------------------------------------------------------------------------------------------------------


def _above(place: str) -> list[str]:
    steps = place.split("/")
    return ["/".join(steps[: length + 1]) for length in range(len(steps))]


def suits(teacher: Chooser) -> Any:
    """As `audience.is_for` decides, in SQL, so that pages of the shelf are full."""
    audience = TrainingProject.audience

    def allows(name: str, *values: str) -> Any:
        return sa.or_(
            sa.func.jsonb_array_length(audience[name]) == 0,
            audience[name].has_any(sa.cast(list(values), sa.ARRAY(sa.Text))),
        )

    return sa.and_(
        allows("segments", teacher.segment),
        allows("subjects", teacher.subject),
        allows("school_ids", str(teacher.school_id)),
        allows("place_ids", *_above(teacher.place)),
    )


def list_suitable(
    db: Session, teacher_id: uuid.UUID, teacher: Chooser, now: dt.datetime, before: uuid.UUID | None, limit: int
) -> Sequence[Any]:
    """Projects for which the teacher can apply, now or soon, newest first, each with her application or None."""
    own = sa.and_(
        TrainingApplication.project_id == TrainingProject.project_id, TrainingApplication.teacher_id == teacher_id
    )
    select = (
        sa.select(TrainingProject, TrainingApplication)
        .outerjoin(TrainingApplication, own)
        .where(
            TrainingProject.shown_at.in_(_above(teacher.place)),
            TrainingProject.state == PUBLISHED,
            TrainingProject.applies_until > now,
            suits(teacher),
        )
    )
    if before is not None:
        select = select.where(TrainingProject.project_id < before)
    return db.execute(select.order_by(TrainingProject.project_id.desc()).limit(limit)).all()


def in_bucket(bucket: TrainingBucket, today: dt.date) -> Any:
    """As `rules.bucket_of` decides, in SQL."""
    in_class = _states.in_(sorted(rules.IN_CLASS))
    begun, over = TrainingProject.starts_on <= today, TrainingProject.ends_on < today
    return {
        TrainingBucket.UNDER_REVIEW: _states.in_(sorted(rules.REVIEWS)),
        TrainingBucket.REJECTED: _states == TrainingState.REJECTED,
        TrainingBucket.OVER: sa.or_(_states.in_(sorted(rules.GRADED)), sa.and_(in_class, over)),
        TrainingBucket.NOT_BEGUN: sa.and_(in_class, ~begun),
        TrainingBucket.ONGOING: sa.and_(in_class, begun, ~over),
    }[bucket]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a list of applications is narrowed to. `held_from`, `held_until`: days on which training takes place."""

    bucket: TrainingBucket | None = None
    state: TrainingState | None = None
    project_id: uuid.UUID | None = None
    search: str = ""
    held_from: dt.date | None = None
    held_until: dt.date | None = None

    def conditions(self, today: dt.date) -> list[Any]:
        found = []
        if self.bucket is not None:
            found.append(in_bucket(self.bucket, today))
        if self.state is not None:
            found.append(_states == self.state)
        if self.project_id is not None:
            found.append(TrainingApplication.project_id == self.project_id)
        if self.search:
            # Not LIKE: what is looked for may hold its signs.
            found.append(sa.func.strpos(sa.func.lower(TrainingProject.title), self.search.lower()) > 0)
        if self.held_from is not None:
            found.append(TrainingProject.ends_on >= self.held_from)
        if self.held_until is not None:
            found.append(TrainingProject.starts_on <= self.held_until)
        return found


def list_applications(
    db: Session, where: Any, wanted: Wanted, today: dt.date, before: uuid.UUID | None, limit: int
) -> Sequence[Any]:
    """Applications with their projects, the newest first."""
    select = (
        sa.select(TrainingApplication, TrainingProject)
        .join(TrainingProject, TrainingProject.project_id == TrainingApplication.project_id)
        .where(where, *wanted.conditions(today))
    )
    if before is not None:
        select = select.where(TrainingApplication.application_id < before)
    return db.execute(select.order_by(TrainingApplication.application_id.desc()).limit(limit)).all()


def of_teacher(teacher_id: uuid.UUID) -> Any:
    return TrainingApplication.teacher_id == teacher_id


def of_teachers_at(place: str) -> Any:
    """Of the teachers who are at the place or below it now."""
    there = sa.select(Placement.teacher_id).where(at_or_below(Placement.place, place))
    return TrainingApplication.teacher_id.in_(there)


def count_buckets(db: Session, teacher_id: uuid.UUID, today: dt.date) -> dict[str, int]:
    """How many of the teacher's applications each bucket holds."""
    figures = [sa.func.count().filter(in_bucket(bucket, today)).label(bucket) for bucket in TrainingBucket]
    select = (
        sa.select(*figures)
        .select_from(TrainingApplication)
        .join(TrainingProject, TrainingProject.project_id == TrainingApplication.project_id)
        .where(of_teacher(teacher_id))
    )
    return dict(db.execute(select).mappings().one())


# --- the class -----------------------------------------------------------------------------------------------------------


def get_session(db: Session, session_id: uuid.UUID) -> ClassSession:
    """Raises NotFound("learning.class_session_unknown")."""
    if (session := db.get(ClassSession, session_id)) is None:
        raise NotFound(NO_SESSION, "session_id")
    return session


def list_sessions(db: Session, project_id: uuid.UUID) -> Sequence[ClassSession]:
    select = sa.select(ClassSession).where(ClassSession.project_id == project_id)
    return db.scalars(select.order_by(ClassSession.starts_at, ClassSession.session_id)).all()


def secret_of(db: Session, session_id: uuid.UUID) -> bytes:
    return db.get_one(CheckInSecret, session_id).secret


def count_attendance(db: Session, project_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many checked in, by session."""
    select = (
        sa.select(Attendance.session_id, sa.func.count().label("number"))
        .where(Attendance.project_id == project_id, Attendance.checked_in_at.is_not(None))
        .group_by(Attendance.session_id)
    )
    return {row.session_id: row.number for row in db.execute(select)}


def attended_by(db: Session, teacher_id: uuid.UUID, project_id: uuid.UUID) -> dict[uuid.UUID, dt.datetime]:
    """When the teacher checked in, by session."""
    select = sa.select(Attendance.session_id, Attendance.checked_in_at).where(
        Attendance.teacher_id == teacher_id,
        Attendance.project_id == project_id,
        Attendance.checked_in_at.is_not(None),
    )
    return {row.session_id: row.checked_in_at for row in db.execute(select)}


def is_attended(db: Session, session_id: uuid.UUID) -> bool:
    select = sa.select(sa.literal(1)).where(Attendance.session_id == session_id, Attendance.checked_in_at.is_not(None))
    return db.scalar(select.limit(1)) is not None


def lock_applications(db: Session, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, TrainingApplication]:
    """In the order of their ids, as everybody locks them."""
    select = sa.select(TrainingApplication).where(TrainingApplication.application_id.in_(application_ids))
    locked = select.order_by(TrainingApplication.application_id).with_for_update()
    return {each.application_id: each for each in db.scalars(locked.execution_options(populate_existing=True))}


def of_project(project_id: uuid.UUID) -> Any:
    return TrainingApplication.project_id == project_id


def learner_numbers(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The 学号 under which rosters name these teachers; who has none, or was erased, is not there."""
    select = sa.select(LearnerNumber).where(
        LearnerNumber.account_id.in_(teacher_ids), ~LearnerNumber.learner_no.startswith("erased ")
    )
    return {row.account_id: row.learner_no for row in db.scalars(select)}
