"""Trainings, projects and classes as they are shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from services.learning.contract.special_training import TrainingState
from services.learning.selection.rules import Chooser
from services.learning.special_training import queries, rules, schemas
from services.learning.special_training.actions.applying import facts_of
from services.learning.special_training.actions.attending import spot_of
from services.learning.special_training.models import (
    ClassSession,
    TrainingApplication,
    TrainingClass,
    TrainingProject,
)

Shown = dict[str, Any]


def suitable(
    project: TrainingProject, application: TrainingApplication | None, teacher: Chooser, now: dt.datetime
) -> Shown:
    """A project on the shelf, with the teacher's application for it, and why she cannot apply (now), or ""."""
    state = TrainingState(application.state) if application else None
    shown: Shown = schemas.Suitable().dump(
        {
            "project": project.content,
            "application_id": application.application_id if application else None,
            "application_state": state,
            "refusal": rules.application_refusal(facts_of(project), teacher, state, now),
        }
    )
    return shown


def training(application: TrainingApplication, project: TrainingProject, today: dt.date) -> Shown:
    return {**schemas.Training().dump(_with_project(application, project, today))}


def detail(db: Session, application: TrainingApplication, project: TrainingProject, today: dt.date) -> Shown:
    """With its steps; and, of who is or was in the class, what the class was told and when she was there."""
    in_class = TrainingState(application.state) in rules.IN_CLASS | rules.GRADED
    attended = queries.attended_by(db, application.teacher_id, project.project_id) if in_class else {}
    sessions = [
        {**_session(each), "checked_in_at": attended.get(each.session_id)}
        for each in (queries.list_sessions(db, project.project_id) if in_class else ())
    ]
    shown: Shown = schemas.TrainingDetail().dump(
        {
            **_with_project(application, project, today),
            "steps": queries.list_steps(db, application.application_id),
            "notice": _notice(db.get(TrainingClass, project.project_id)) if in_class else None,
            "sessions": sessions,
        }
    )
    return shown


def held_class(db: Session, project: TrainingProject) -> Shown:
    """The class as its institution sees it."""
    training_class = db.get_one(TrainingClass, project.project_id)
    present = queries.count_attendance(db, project.project_id)
    sessions = [
        {**_session(each), "checked_in": present.get(each.session_id, 0)}
        for each in queries.list_sessions(db, project.project_id)
    ]
    shown: Shown = schemas.ClassShown().dump(
        {
            "project_id": project.project_id,
            "capacity": project.capacity,
            "admitted": training_class.admitted,
            "notice": _notice(training_class),
            "sessions": sessions,
        }
    )
    return shown


def _with_project(application: TrainingApplication, project: TrainingProject, today: dt.date) -> Shown:
    state = TrainingState(application.state)
    return {
        **{column.key: getattr(application, column.key) for column in TrainingApplication.__table__.columns},
        "bucket": rules.bucket_of(state, project.starts_on, project.ends_on, today),
        "project": project.content,
    }


def _session(session: ClassSession) -> Shown:
    columns = {column.key: getattr(session, column.key) for column in ClassSession.__table__.columns}
    return {**columns, "asks_place": spot_of(session) is not None}


def _notice(training_class: TrainingClass | None) -> Shown | None:
    if training_class is None or training_class.noticed_at is None:
        return None
    return {
        "title": training_class.notice_title,
        "text": training_class.notice,
        "noticed_at": training_class.noticed_at,
    }
