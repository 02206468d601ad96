"""What the catalogue tells of programmes, periods and offerings as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog import contract, queries
from services.catalog.actions import closed_payload, published_payload
from services.catalog.contract.periods import OFFERING_CHANGED, PERIOD_CHANGED
from services.catalog.contract.projects import PROJECT_CHANGED
from services.catalog.models import Programme
from services.catalog.periods.models import Offering, Period
from services.catalog.periods.telling import offering_payload, period_payload
from services.catalog.projects.actions import institution_names
from services.catalog.projects.models import TrainingProject
from services.catalog.projects.telling import project_payload
from services.catalog.questions import exams
from services.catalog.questions.models import PublishedExam
from services.shared.bus.snapshots import Facts, Key, Snapshot, Told


def tell_published(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    programmes = _programmes(db, keys)
    return [
        Told((programme.programme_id,), published_payload(programme, queries.content_of(db, programme)))
        for programme in programmes
    ]


def tell_closed(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((programme.programme_id,), closed_payload(programme)) for programme in _programmes(db, keys)]


def _programmes(db: Session, keys: list[Key]) -> list[Programme]:
    ids = [programme_id for (programme_id,) in keys]
    return list(db.scalars(sa.select(Programme).where(Programme.programme_id.in_(ids))))


def tell_exams(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((uuid.UUID(each["exam_id"]),), each) for each in exams.present_payloads(db, [key for (key,) in keys])]


def tell_periods(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [period_id for (period_id,) in keys]
    found = db.scalars(sa.select(Period).where(Period.period_id.in_(ids)))
    return [Told((period.period_id,), period_payload(period)) for period in found]


def tell_offerings(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [offering_id for (offering_id,) in keys]
    found = db.scalars(sa.select(Offering).where(Offering.offering_id.in_(ids)))
    return [Told((offering.offering_id,), offering_payload(offering)) for offering in found]


def tell_projects(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [project_id for (project_id,) in keys]
    found = list(db.scalars(sa.select(TrainingProject).where(TrainingProject.project_id.in_(ids))))
    names = institution_names(db, found)
    return [
        Told((project.project_id,), project_payload(project, names[project.institution_unit_id])) for project in found
    ]


_KEY = (Programme.programme_id,)
SNAPSHOTS = {
    contract.PROGRAMME_PUBLISHED: Snapshot(Facts(_KEY, Programme.content_version), tell_published),
    contract.EXAM_PUBLISHED: Snapshot(Facts((PublishedExam.exam_id,), PublishedExam.version), tell_exams),
    contract.PROGRAMME_CLOSED: Snapshot(
        Facts(_KEY, Programme.version, (Programme.closed_at.is_not(None),)), tell_closed
    ),
    PERIOD_CHANGED: Snapshot(Facts((Period.period_id,), Period.version), tell_periods),
    OFFERING_CHANGED: Snapshot(Facts((Offering.offering_id,), Offering.version), tell_offerings),
    PROJECT_CHANGED: Snapshot(
        Facts((TrainingProject.project_id,), TrainingProject.version, (TrainingProject.published_at.is_not(None),)),
        tell_projects,
    ),
}
