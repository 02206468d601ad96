"""What learning tells of its facts as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.enrolment.actions import enrolled_payload
from services.learning.models import ClosingMarker, CourseEvidence, Enrolment, Programme
from services.learning.study.actions.closing import closed_payload
from services.learning.study.actions.evidence import progress_payloads
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
    payloads = progress_payloads(db, {(row.teacher_id, row.course_id): row.version for row in rows})
    return [
        Told((row.teacher_id, row.course_id), payloads[row.teacher_id, row.course_id], row.announced_at) for row in rows
    ]


def tell_closed(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((programme_id,), closed_payload(db, programme_id)) for (programme_id,) in keys]


SNAPSHOTS = {
    contract.ENROLLED: Snapshot(Facts((Enrolment.teacher_id, Enrolment.programme_id), UNCHANGING), tell_enrolments),
    contract.COURSE_PROGRESSED: Snapshot(
        Facts((CourseEvidence.teacher_id, CourseEvidence.course_id), CourseEvidence.version), tell_progress
    ),
    contract.STUDY_CLOSED: Snapshot(Facts((Programme.programme_id,), UNCHANGING, (_all_passed,)), tell_closed),
}
