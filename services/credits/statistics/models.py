"""Tables of statistics."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model

# What is counted. `registered` and `verified` are of persons, and stand under the programme EVERYONE.
MEASURES: Final = ("registered", "verified", "enrolled", "studying", "finished", "certified", "hours")
EVERYONE: Final = uuid.UUID(int=0)


class Measures:
    registered: Mapped[int]
    verified: Mapped[int]
    enrolled: Mapped[int]
    studying: Mapped[int]
    finished: Mapped[int]
    certified: Mapped[int]
    hours: Mapped[Decimal] = mapped_column(sa.Numeric(16, 2))


class Statistic(Measures, Model):
    """Totals of one programme at one place and everything below it."""

    __tablename__ = "statistic"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    parent: Mapped[str] = mapped_column(sa.Text(collation="C"))


class StatisticDay(Measures, Model):
    """By how much the totals changed on one Beijing day."""

    __tablename__ = "statistic_day"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
