"""The table of holds on issuing."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model


class IssueHold(Model):
    """While `lifted_at` is empty no certificate of the programme is decided on. `lifted_day`: proofs up to it are answered."""

    __tablename__ = "issue_hold"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[dt.date]  # of the last proof that failed
    differences: Mapped[int]
    held_at: Mapped[dt.datetime]
    lifted_at: Mapped[dt.datetime | None]
    lifted_day: Mapped[dt.date | None]
    reason: Mapped[str]
