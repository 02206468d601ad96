"""Selects of hand-overs."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.handover.models import Handover
from services.credits.models import Placement
from services.credits.queries import at_place


def list_handovers(db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int) -> list[Handover]:
    """Those of teachers who are at the place or below it now, in the order of their certificates."""
    select = sa.select(Handover).join(Placement, Placement.teacher_id == Handover.teacher_id).where(at_place(place))
    if state is not None:
        select = select.where(Handover.state == state)
    if after is not None:
        select = select.where(Handover.certificate_id > after)
    return list(db.scalars(select.order_by(Handover.certificate_id).limit(limit)))
