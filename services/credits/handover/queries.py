"""Selects of hand-overs."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.handover.models import Handover
from services.credits.models import Placement
from services.shared.placement import at_or_below


def list_handovers(db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int) -> list[Handover]:
    """Those of teachers who are at the place or below it now, in the order of their certificates."""
    select = (
        sa.select(Handover)
        .join(Placement, Placement.teacher_id == Handover.teacher_id)
        .where(at_or_below(Placement.place, place))
    )
    if state is not None:
        select = select.where(Handover.state == state)
    if after is not None:
        select = select.where(Handover.certificate_id > after)
    return list(db.scalars(select.order_by(Handover.certificate_id).limit(limit)))


# All of one teacher's stand in one batch (WITH TIES), for the keyset is the teacher.
_WAITING = sa.text("""
    SELECT certified.teacher_id, certified.programme_id, certified.certificate_id, certified.number, placement.place
    FROM certified
    JOIN placement ON placement.teacher_id = certified.teacher_id
    JOIN programme ON programme.programme_id = certified.programme_id
    LEFT JOIN handover ON handover.certificate_id = certified.certificate_id
    WHERE (placement.place = :place OR (placement.place > :place || '/' AND placement.place < :place || '0'))
        AND certified.live AND programme.rule_pack = ANY(:seasons)
        AND coalesce(handover.state, 'HELD') = 'HELD'
        AND (CAST(:after AS uuid) IS NULL OR certified.teacher_id > :after)
    ORDER BY certified.teacher_id
    FETCH FIRST :limit ROWS WITH TIES
""")


def list_waiting(
    db: Session, place: str, seasons: Collection[str], after: uuid.UUID | None, limit: int
) -> Sequence[sa.Row[Any]]:
    """Certificates of teachers at a place, of seasons that some rule hands over, which have brought nothing yet."""
    given = {"place": place, "seasons": sorted(seasons), "after": after, "limit": limit}
    return db.execute(_WAITING, given).all()


def list_states(db: Session, certificate_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db.execute(
        sa.select(Handover.certificate_id, Handover.state).where(Handover.certificate_id.in_(certificate_ids))
    )
    return {row.certificate_id: row.state for row in rows}
