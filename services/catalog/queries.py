"""Selects of the catalogue."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.catalog.contract import Visibility
from services.catalog.models import Programme, ProgrammeVersion
from services.catalog.rules import Viewpoint
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


def list_programmes(db: Session, viewpoint: Viewpoint, before_code: str, limit: int) -> list[Programme]:
    """Those that stand on the list of somebody there, the newest season first: codes begin with their year."""
    select = sa.select(Programme).where(_is_listed(viewpoint)).order_by(Programme.code.desc()).limit(limit)
    if before_code:
        select = select.where(Programme.code < before_code)
    return list(db.scalars(select))


def _is_listed(viewpoint: Viewpoint) -> sa.ColumnElement[bool]:
    """A programme of places is listed for who stands in one, or answers for one; any for who answers for its organiser."""
    place = sa.func.jsonb_array_elements_text(Programme.audience["place_ids"]).column_valued("place")
    concerned = sa.select(place).where(
        sa.or_(place == sa.any_(sa.literal(list(viewpoint.within), ARRAY(sa.Text))), _answers_for(viewpoint, place))
    )
    return sa.or_(
        Programme.visibility == Visibility.PUBLIC,
        sa.and_(Programme.visibility == Visibility.PLACES, concerned.exists()),
        _answers_for(viewpoint, Programme.place),
    )


def _answers_for(viewpoint: Viewpoint, place: Any) -> sa.ColumnElement[bool]:
    covering = (sa.or_(place == each, sa.func.starts_with(place, f"{each}/")) for each in viewpoint.answering)
    return sa.or_(sa.false(), *covering)


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
