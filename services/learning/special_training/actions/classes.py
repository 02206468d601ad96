"""The class of a project: its notice 开班通知, its timetable 课程安排, its results."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract.special_training import SESSIONS_AT_ONCE, TRAINING_GRADED, TrainingState
from services.learning.special_training import queries, rules
from services.learning.special_training.actions import stepping
from services.learning.special_training.models import (
    Attendance,
    CheckInSecret,
    ClassSession,
    TrainingApplication,
    TrainingClass,
    TrainingGrade,
    TrainingProject,
)
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id

Values = dict[str, Any]
SECRET_BYTES = 32


def authorise_institution(
    call: Call, project: TrainingProject, missing: str = queries.NO_PROJECT, field: str = "project_id"
) -> None:
    """The institution that holds the project, and nobody above it. Raises NotFound."""
    call.authorise(place=project.institution_place, missing=missing, field=field)


def publish_notice(db: Session, call: Call, project_id: uuid.UUID, title: str, text: str) -> TrainingClass:
    """What the class is told before it begins; a later notice takes the place of the earlier.

    Raises NotFound for whoever does not hold the project, Conflict for one that is withdrawn or over.
    """
    project, training_class = _lock_running(db, call, project_id)
    before = {"title": training_class.notice_title}
    training_class.notice_title, training_class.notice, training_class.noticed_at = title, text, call.now
    _record(db, call, project, before, {"title": title})
    return training_class


def add_sessions(db: Session, call: Call, project_id: uuid.UUID, wanted: Sequence[Values]) -> list[ClassSession]:
    """Put sessions on the timetable: all of them, or none. Raises as `publish_notice`, InvalidInput for hours outside the
    training (`sessions.2.starts_at`), Conflict("learning.timetable_full")."""
    project, _ = _lock_running(db, call, project_id)
    for index, each in enumerate(wanted):
        if not rules.is_inside(each["starts_at"], each["ends_at"], project.starts_on, project.ends_on):
            raise InvalidInput("learning.session_outside_training", f"sessions.{index}.starts_at")
    if len(queries.list_sessions(db, project_id)) + len(wanted) > SESSIONS_AT_ONCE:
        raise Conflict("learning.timetable_full")
    made = [ClassSession(session_id=new_id(), project_id=project_id, **each) for each in wanted]
    db.add_all(made)
    db.add_all(
        CheckInSecret(session_id=each.session_id, project_id=project_id, secret=secrets.token_bytes(SECRET_BYTES))
        for each in made
    )
    _record(db, call, project, {}, {"sessions": [str(each.session_id) for each in made]})
    return made


def remove_session(db: Session, call: Call, session_id: uuid.UUID) -> uuid.UUID:
    """Take a session off the timetable at which nobody has checked in; the project it was of.

    Raises as `publish_notice`, Conflict("learning.class_session_attended").
    """
    session = queries.get_session(db, session_id)
    project, _ = _lock_running(db, call, session.project_id, queries.NO_SESSION, "session_id")
    if queries.is_attended(db, session_id):
        raise Conflict("learning.class_session_attended")
    db.execute(sa.delete(CheckInSecret).where(CheckInSecret.session_id == session_id))
    db.delete(session)
    _record(db, call, project, {"sessions": [str(session_id)]}, {})
    return project.project_id


def check_in_by_hand(
    db: Session, call: Call, session_id: uuid.UUID, application_ids: Sequence[uuid.UUID], reason: str
) -> int:
    """The institution registers who was there, such as whoever has no telephone; how many were not checked in before.

    As results are, it is entered until the training's year ends. Raises NotFound for another's session or application,
    NotAllowed for the caller's own, Conflict for a project that is withdrawn, afterwards ("learning.training_year_over"), and
    for whoever is not in the class ("learning.not_admitted").
    """
    session = queries.get_session(db, session_id)
    project, _ = _lock_kept(db, call, session.project_id, queries.NO_SESSION, "session_id")
    if rules.day_of(call.now).year > project.ends_on.year:
        raise Conflict("learning.training_year_over")
    if call.now < session.starts_at - rules.CHECK_IN_EARLY:
        raise Conflict("learning.check_in_closed")
    found = queries.lock_applications(db, application_ids)
    news = 0
    for application_id in sorted(set(application_ids)):
        application = found.get(application_id)
        if application is None or application.project_id != project.project_id:
            raise NotFound(queries.NO_APPLICATION, "application_ids")
        if application.teacher_id == call.actor.account_id:
            raise NotAllowed("learning.own_application")
        before = application.state
        if keep_attendance(db, session, application, call, by_institution=True):
            stepping.record(db, call, application, before, reason)
            news += 1
    return news


def keep_attendance(
    db: Session, session: ClassSession, application: TrainingApplication, call: Call, *, by_institution: bool
) -> bool:
    """Write down that a locked applicant was there; the first time she attends. Whether it was news.

    Raises Conflict("learning.not_admitted").
    """
    if application.state not in rules.IN_CLASS:
        raise Conflict("learning.not_admitted")
    row = attendance_of(db, session, application.teacher_id)
    if row.checked_in_at is not None:
        return False
    row.checked_in_at, row.by_institution = call.now, by_institution
    if application.state == TrainingState.ADMITTED:
        stepping.step(db, application, TrainingState.ATTENDING, call.actor.account_id, call.now)
    db.flush()
    return True


def attendance_of(db: Session, session: ClassSession, teacher_id: uuid.UUID) -> Attendance:
    """The teacher's row of a session, made where there is none; the caller holds her application."""
    row = db.get(Attendance, (session.session_id, teacher_id), populate_existing=True)
    if row is None:
        row = Attendance(
            session_id=session.session_id,
            teacher_id=teacher_id,
            project_id=session.project_id,
            wrong_codes=0,
            checked_in_at=None,
            by_institution=False,
        )
        db.add(row)
    return row


# --- results --------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Result:
    """What an institution says of one application. `reason`: why an earlier result is turned over."""

    application_id: uuid.UUID
    passed: bool
    reason: str = ""


def grade(db: Session, call: Call, result: Result) -> bool:
    """Enter or correct one result, and with a pass its hours; whether anything changed.

    Raises NotFound for whoever does not hold the project, NotAllowed for the caller's own, Conflict with the code of the
    guard that refuses: results are entered from the last day of the training to the end of its year (W32).
    """
    application = queries.get_application(db, result.application_id, lock=True)
    project = queries.get_project(db, application.project_id)
    authorise_institution(call, project, queries.NO_APPLICATION, "application_id")
    if application.teacher_id == call.actor.account_id:
        raise NotAllowed("learning.own_application")
    state, today = TrainingState(application.state), rules.day_of(call.now)
    if refusal := rules.grading_refusal(state, project.ends_on, result.passed, result.reason, today):
        raise Conflict(refusal)
    after = TrainingState.PASSED if result.passed else TrainingState.FAILED
    if state is after:
        return False
    standing = _keep(db, call, application, project, result)
    stepping.step(db, application, after, call.actor.account_id, call.now, result.reason)
    outbox.announce(db, TRAINING_GRADED, application.application_id, graded_payload(application, project, standing))
    stepping.record(db, call, application, state, result.reason)
    return True


def _keep(
    db: Session, call: Call, application: TrainingApplication, project: TrainingProject, result: Result
) -> TrainingGrade:
    kept = db.get(TrainingGrade, (application.teacher_id, application.application_id))
    if kept is None:
        kept = TrainingGrade(
            teacher_id=application.teacher_id,
            application_id=application.application_id,
            project_id=application.project_id,
            version=0,
            year=project.ends_on.year,
        )
        db.add(kept)
    kept.version += 1
    kept.passed, kept.graded_at = result.passed, call.now
    db.flush()
    return kept


def graded_payload(
    application: TrainingApplication, project: TrainingProject, standing: TrainingGrade
) -> dict[str, Any]:
    return {
        "application_id": str(application.application_id),
        "version": standing.version,
        "teacher_id": str(application.teacher_id),
        "project_id": str(application.project_id),
        "title": project.title,
        "passed": standing.passed,
        "amount": f"{project.amount:.2f}",
        "unit": project.unit,
        "hour_type": project.hour_type,
        "course_type": project.course_type,
        "year": standing.year,
        "place": project.place,
        "graded_on": rules.day_of(standing.graded_at).isoformat(),
    }


def list_graded(db: Session, keys: Sequence[tuple[uuid.UUID, ...]]) -> list[dict[str, Any]]:
    """The payloads of results as they stand, by (teacher, application)."""
    rows = db.execute(
        sa.select(TrainingApplication, TrainingProject, TrainingGrade)
        .join(TrainingGrade, TrainingGrade.application_id == TrainingApplication.application_id)
        .join(TrainingProject, TrainingProject.project_id == TrainingApplication.project_id)
        .where(sa.tuple_(TrainingGrade.teacher_id, TrainingGrade.application_id).in_(list(keys)))
    )
    return [graded_payload(*row) for row in rows]


def _lock_running(
    db: Session, call: Call, project_id: uuid.UUID, missing: str = queries.NO_PROJECT, field: str = "project_id"
) -> tuple[TrainingProject, TrainingClass]:
    """As `_lock_kept`. Raises Conflict("learning.class_over") after the training's last day."""
    project, training_class = _lock_kept(db, call, project_id, missing, field)
    if rules.day_of(call.now) > project.ends_on:
        raise Conflict("learning.class_over")
    return project, training_class


def _lock_kept(
    db: Session, call: Call, project_id: uuid.UUID, missing: str, field: str
) -> tuple[TrainingProject, TrainingClass]:
    """The caller's project with its locked class. Raises NotFound, Conflict once it is withdrawn."""
    project = queries.get_project(db, project_id)
    authorise_institution(call, project, missing, field)
    training_class = queries.lock_class(db, project_id)
    db.refresh(project)
    if project.state != queries.PUBLISHED:
        raise Conflict("learning.project_withdrawn")
    return project, training_class


def _record(db: Session, call: Call, project: TrainingProject, before: Values, after: Values) -> None:
    db.flush()
    audit.record(db, call, subject=project.project_id, place=project.institution_place, before=before, after=after)
