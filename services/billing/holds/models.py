"""The table of holds. The constraints that hold it together stand in the migration."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.billing.models import Model, Place


class Hold(Model):
    """Something unsettled that keeps a teacher from something; `occurrence` counts how often this kind came.

    `period_id` is the period whose unpaid courses it came from, null when an institution placed it by hand.
    """

    __tablename__ = "hold"

    hold_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    place: Mapped[str] = mapped_column(Place)  # of the institution that keeps it
    state: Mapped[str]
    occurrence: Mapped[int]
    period_id: Mapped[uuid.UUID | None]
    version: Mapped[int]
    reason: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[dt.datetime]
    evidence: Mapped[str]  # what was shown when it was lifted, as a list with commas
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[dt.datetime | None]
    lift_reason: Mapped[str]
