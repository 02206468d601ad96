"""Selects of the catalogue."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.models import Programme, ProgrammeVersion
from services.shared.errors import NotFound


def get_programme(db: Session, programme_id: uuid.UUID) -> tuple[Programme, dict[str, Any]]:
    """The programme and its present content. Raises NotFound."""
    row = db.execute(
        sa.select(Programme, ProgrammeVersion.content)
        .join(
            ProgrammeVersion,
            sa.and_(
                ProgrammeVersion.programme_id == Programme.programme_id,
                ProgrammeVersion.version == Programme.content_version,
            ),
        )
        .where(Programme.programme_id == programme_id)
    ).one_or_none()
    if row is None:
        raise NotFound("catalog.programme_not_found", "programme_id")
    return row.Programme, row.content


def list_programmes(db: Session, before_code: str, limit: int) -> list[Programme]:
    """Newest season first: codes begin with their year."""
    select = sa.select(Programme).order_by(Programme.code.desc()).limit(limit)
    if before_code:
        select = select.where(Programme.code < before_code)
    return list(db.scalars(select))


def lock_programme(db: Session, first: Programme) -> Programme:
    """The stored programme with this id, locked; `first` becomes its first, still empty, row when there is none."""
    values = {column.name: getattr(first, column.name) for column in Programme.__table__.columns}
    db.execute(insert(Programme).values(values).on_conflict_do_nothing())
    return db.scalars(sa.select(Programme).where(Programme.programme_id == first.programme_id).with_for_update()).one()


def content_of(db: Session, programme: Programme) -> dict[str, Any]:
    return db.scalars(
        sa.select(ProgrammeVersion.content).where(
            ProgrammeVersion.programme_id == programme.programme_id,
            ProgrammeVersion.version == programme.content_version,
        )
    ).one()


def lock_due_programmes(db: Session, now: dt.datetime) -> list[Programme]:
    """Programmes whose window has ended and whose closing is not yet announced."""
    return list(
        db.scalars(
            sa.select(Programme)
            .where(Programme.closed_at.is_(None), Programme.closes_at <= now)
            .order_by(Programme.programme_id)
            .with_for_update(skip_locked=True)
        )
    )
