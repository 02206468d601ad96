"""Selects of training projects."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.contract.projects import ProjectState
from services.catalog.projects.models import TrainingProject
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

NO_PROJECT = "catalog.project_unknown"


def get_project(db: Session, project_id: uuid.UUID, *, lock: bool = False) -> TrainingProject:
    """Raises NotFound("catalog.project_unknown")."""
    select = sa.select(TrainingProject).where(TrainingProject.project_id == project_id)
    project = db.scalars(select.with_for_update() if lock else select).one_or_none()
    if project is None:
        raise NotFound(NO_PROJECT, "project_id")
    return project


def shown(places: Collection[str], today: dt.date) -> Any:
    """Published in one of these places, and not over."""
    return sa.and_(
        TrainingProject.shown_at.in_(places),
        TrainingProject.state == ProjectState.PUBLISHED,
        TrainingProject.ends_on >= today,
    )


def kept_at(place: str) -> Any:
    return at_or_below(TrainingProject.place, place)


def list_projects(
    db: Session, where: Any, state: ProjectState | None, before: uuid.UUID | None, limit: int
) -> list[TrainingProject]:
    """Newest first."""
    select = sa.select(TrainingProject).where(where)
    if state is not None:
        select = select.where(TrainingProject.state == state)
    if before is not None:
        select = select.where(TrainingProject.project_id < before)
    return list(db.scalars(select.order_by(TrainingProject.project_id.desc()).limit(limit)))


def lock_projects_of_unit(db: Session, unit_id: uuid.UUID, place: str) -> list[TrainingProject]:
    """Projects held by a unit that stands elsewhere now."""
    select = sa.select(TrainingProject).where(
        TrainingProject.institution_unit_id == unit_id, TrainingProject.institution_place != place
    )
    return list(db.scalars(select.order_by(TrainingProject.project_id).with_for_update()))
