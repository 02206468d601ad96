"""The end of a window: once, after which no choice of the period can become CHOSEN, and billing is told how much to expect."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract.selection import SELECTION_CLOSED, ChoiceState
from services.learning.selection import queries
from services.learning.selection.models import Choice, ClosedPeriod, Offering, Period
from services.shared import outbox


def list_due(db: Session, now: dt.datetime) -> list[uuid.UUID]:
    """Published periods whose window is over and that are not closed here yet."""
    closed = sa.select(ClosedPeriod.period_id).where(ClosedPeriod.period_id == Period.period_id).exists()
    select = sa.select(Period.period_id).where(Period.selects_until <= now, Period.state != "PLANNED", ~closed)
    return list(db.scalars(select.order_by(Period.selects_until, Period.period_id)))


def close_period(db: Session, period_id: uuid.UUID, now: dt.datetime) -> ClosedPeriod | None:
    """Shut the period's gate and announce what was chosen; None when it is shut already, or its window was moved."""
    queries.shut(db, period_id)
    # Only now, behind the last who chose: each statement sees what was committed before it began.
    period = db.get(Period, period_id, populate_existing=True)
    if period is None or period.selects_until > now or db.get(ClosedPeriod, period_id) is not None:
        return None
    offered = sa.select(Offering.offering_id).where(Offering.period_id == period_id)
    number, versions = db.execute(
        sa.select(
            sa.func.count().filter(Choice.state == ChoiceState.CHOSEN),
            sa.func.coalesce(sa.func.sum(Choice.version), 0),
        ).where(Choice.offering_id.in_(offered))
    ).one()
    closed = ClosedPeriod(period_id=period_id, choices=number, versions=int(versions), closed_at=now)
    db.add(closed)
    db.flush()
    outbox.announce(db, SELECTION_CLOSED, period_id, closed_payload(closed))
    return closed


def closed_payload(closed: ClosedPeriod) -> dict[str, Any]:
    return {"period_id": str(closed.period_id), "choices": closed.choices, "versions": closed.versions}
