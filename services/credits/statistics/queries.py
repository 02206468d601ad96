"""Selects of statistics: by primary key, or the children of one place in the order of the tree."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.statistics.models import MEASURES, Statistic, StatisticDay
from services.shared.driver import run_plain

MISSING = "credits.statistics_unknown"


_FIND = (
    f"SELECT {', '.join(f'kept.{name}' for name in ('place', *MEASURES))}, oldest_delta() AS oldest"  # noqa: S608  our own names
    " FROM (VALUES (1)) AS one LEFT JOIN statistic AS kept ON programme_id = %(programme)s AND place = %(place)s"
)


def find_statistic(db: Session, programme_id: uuid.UUID, place: str, now: dt.datetime) -> tuple[Any, dt.datetime]:
    """The totals of a place, None where nothing was ever counted, and up to when they hold everything; in one look."""
    [found] = run_plain(db, _FIND, {"programme": programme_id, "place": place})
    return (found if found.place is not None else None), _until(found.oldest, now)


def list_children(db: Session, programme_id: uuid.UUID, place: str, after: str | None, limit: int) -> list[Statistic]:
    """The places directly below, in the order of the tree and never of their figures: there are no league tables."""
    select = sa.select(Statistic).where(Statistic.programme_id == programme_id, Statistic.parent == place)
    if after is not None:
        select = select.where(Statistic.place > after)
    return list(db.scalars(select.order_by(Statistic.place).limit(limit)))


def list_days(db: Session, programme_id: uuid.UUID, place: str, first: dt.date, last: dt.date) -> list[StatisticDay]:
    """The days on which something changed, in order."""
    select = sa.select(StatisticDay).where(
        StatisticDay.programme_id == programme_id, StatisticDay.place == place, StatisticDay.day.between(first, last)
    )
    return list(db.scalars(select.order_by(StatisticDay.day)))


def as_of(db: Session, now: dt.datetime) -> dt.datetime:
    """Up to when the roll-ups hold everything: the oldest change that is not folded yet, or now."""
    return _until(db.scalar(sa.select(sa.func.oldest_delta())), now)


def _until(oldest: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    return min(oldest, now) if oldest else now


def count_directly(db: Session) -> dict[tuple[uuid.UUID, str], tuple[Any, ...]]:
    """What the roll-ups must say, counted from what is remembered of each teacher: the reconciler's side."""
    columns = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    rows = db.execute(
        sa.text(
            "SELECT programme_id, array_to_string((string_to_array(place, '/'))[1:depth], '/') AS at, "  # noqa: S608
            f"{columns} FROM counted, generate_series(1, array_length(string_to_array(place, '/'), 1)) AS depth"
            " WHERE place <> '' GROUP BY 1, 2"
        )
    )
    return {(row.programme_id, row.at): tuple(row[2:]) for row in rows}
