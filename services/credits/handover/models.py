"""The table of hand-overs."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class Handover(Model):
    """One certificate whose hours a local pack takes over; nothing is kept of those that no pack asks for."""

    __tablename__ = "handover"

    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    number: Mapped[str]  # of the certificate; "" while unknown
    year: Mapped[int]
    hours: Mapped[Decimal]  # of the season, before any conversion
    state: Mapped[str]
    reason: Mapped[str]  # why it is held, "" otherwise
    recorded_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
