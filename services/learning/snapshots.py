"""What learning tells of its facts as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.enrolment.actions import enrolled_payload
from services.learning.exams.judging import judged_payloads
from services.learning.exams.models import ExamResult
from services.learning.grades.actions import list_graded
from services.learning.grades.models import CourseGrade
from services.learning.models import ClosingMarker, CourseEvidence, Enrolment, Programme
from services.learning.selection.actions.choosing import choice_payload
from services.learning.selection.actions.closing import closed_payload as selection_closed_payload
from services.learning.selection.models import Choice, ClosedPeriod
from services.learning.special_training.actions.classes import list_graded as list_trainings_graded
from services.learning.special_training.models import TrainingGrade
from services.learning.study.actions.closing import closed_payload
from services.learning.study.actions.evidence import Version, progress_payloads
from services.shared.bus.snapshots import UNCHANGING, Facts, Key, Snapshot, Told

_marker = sa.exists().where(ClosingMarker.programme_id == Programme.programme_id)
_all_passed = sa.and_(_marker, ~_marker.where(ClosingMarker.passed_at.is_(None)))


def tell_enrolments(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    rows = db.scalars(sa.select(Enrolment).where(sa.tuple_(Enrolment.teacher_id, Enrolment.programme_id).in_(keys)))
    return [
        Told((row.teacher_id, row.programme_id), enrolled_payload(row.teacher_id, row.programme_id, row.enrolled_at))
        for row in rows
    ]


def tell_progress(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    # Versions first, then what was watched: a payload may hold more than its version says, never less.
    key = (CourseEvidence.teacher_id, CourseEvidence.course_id)
    rows = db.scalars(sa.select(CourseEvidence).where(sa.tuple_(*key).in_(keys))).all()
    versions = {
        (row.teacher_id, row.course_id): Version(row.version, row.studied_at or row.announced_at) for row in rows
    }
    payloads = progress_payloads(db, versions)
    return [
        Told((row.teacher_id, row.course_id), payloads[row.teacher_id, row.course_id], row.announced_at) for row in rows
    ]


def tell_results(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    key = (ExamResult.teacher_id, ExamResult.exam_id)
    rows = db.execute(sa.select(*key, ExamResult.version).where(sa.tuple_(*key).in_(keys)))
    payloads = judged_payloads(db, {(row.teacher_id, row.exam_id): row.version for row in rows})
    return [Told(pair, payload) for pair, payload in payloads.items()]


def tell_closed(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((programme_id,), closed_payload(db, programme_id)) for (programme_id,) in keys]


def tell_choices(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    rows = db.scalars(sa.select(Choice).where(Choice.choice_id.in_([choice_id for (choice_id,) in keys])))
    return [Told((row.choice_id,), choice_payload(row), row.changed_at) for row in rows]


def tell_grades(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    payloads = list_graded(db, keys)
    return [Told((uuid.UUID(each["teacher_id"]), uuid.UUID(each["choice_id"])), each) for each in payloads]


def tell_training_grades(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    payloads = list_trainings_graded(db, keys)
    return [Told((uuid.UUID(each["teacher_id"]), uuid.UUID(each["application_id"])), each) for each in payloads]


def tell_selections(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    rows = db.scalars(sa.select(ClosedPeriod).where(ClosedPeriod.period_id.in_([period_id for (period_id,) in keys])))
    return [Told((row.period_id,), selection_closed_payload(row), row.closed_at) for row in rows]


SNAPSHOTS = {
    contract.selection.CHOICE_CHANGED: Snapshot(Facts((Choice.choice_id,), Choice.version), tell_choices),
    contract.grades.COURSE_GRADED: Snapshot(
        Facts((CourseGrade.teacher_id, CourseGrade.choice_id), CourseGrade.version), tell_grades
    ),
    contract.special_training.TRAINING_GRADED: Snapshot(
        Facts((TrainingGrade.teacher_id, TrainingGrade.application_id), TrainingGrade.version), tell_training_grades
    ),
    contract.selection.SELECTION_CLOSED: Snapshot(Facts((ClosedPeriod.period_id,), UNCHANGING), tell_selections),
    contract.ENROLLED: Snapshot(Facts((Enrolment.teacher_id, Enrolment.programme_id), UNCHANGING), tell_enrolments),
    contract.COURSE_PROGRESSED: Snapshot(
        Facts((CourseEvidence.teacher_id, CourseEvidence.course_id), CourseEvidence.version), tell_progress
    ),
    contract.EXAM_JUDGED: Snapshot(
        Facts((ExamResult.teacher_id, ExamResult.exam_id), ExamResult.version, (ExamResult.version > 0,)), tell_results
    ),
    contract.STUDY_CLOSED: Snapshot(Facts((Programme.programme_id,), UNCHANGING, (_all_passed,)), tell_closed),
}
