"""Selects of periods and choices: what a period still waits for."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.billing.selection.models import Choice, Closing, Period, Unit
from services.shared.errors import NotFound


@dataclasses.dataclass(frozen=True)
class Arrived:
    """What is here of a period's choices: how many can be billed, how many are void, and the sum of all versions."""

    standing: int
    void: int
    versions: int


def get_period(db: Session, period_id: uuid.UUID) -> Period:
    """Raises NotFound("billing.period_unknown")."""
    if (period := db.get(Period, period_id)) is None:
        raise NotFound("billing.period_unknown", "period_id")
    return period


def lock_unbilled(db: Session, limit: int) -> Sequence[tuple[Closing, Period]]:
    """Periods whose selection is over and whose bills are not all made; another process's are left to it."""
    return [
        (closing, period)
        for closing, period in db.execute(
            sa.select(Closing, Period)
            .join(Period, Period.period_id == Closing.period_id)
            .where(Closing.billed_at.is_(None))
            .order_by(Closing.period_id)
            .limit(limit)
            .with_for_update(of=Closing, skip_locked=True)
        )
    ]


def count_arrived(db: Session, period_id: uuid.UUID) -> Arrived:
    over = sa.func.count().filter(Choice.state == "VOID")
    cancelled = sa.func.count().filter(Choice.state == "CANCELLED")
    every, void, gone, versions = db.execute(
        sa.select(sa.func.count(), over, cancelled, sa.func.coalesce(sa.func.sum(Choice.version), 0)).where(
            Choice.period_id == period_id
        )
    ).one()
    return Arrived(every - void - gone, void, int(versions))


def find_units(db: Session, unit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Unit]:
    found = db.scalars(sa.select(Unit).where(Unit.unit_id.in_(list(unit_ids))))
    return {unit.unit_id: unit for unit in found}
