"""Tables of the daily proof."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class ReconciliationRun(Model):
    """How far the proof of one Beijing day has come, so that it goes on where a dead process stopped."""

    __tablename__ = "reconciliation_run"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    after_teacher: Mapped[uuid.UUID | None]
    after_programme: Mapped[uuid.UUID | None]
    checked: Mapped[int]
    differences: Mapped[int]
    begun_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]


class ReconciliationDifference(Model):
    """What did not agree on a day; only added to."""

    __tablename__ = "reconciliation_difference"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    expected: Mapped[str]
    in_ledger: Mapped[str]
    in_standing: Mapped[str]
    found_at: Mapped[dt.datetime]
