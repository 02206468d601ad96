"""Selects of statistics: by primary key, or the children of one place in the order of the tree."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.contract.statistics import Stage
from services.credits.models import EmploymentStatus, Placement, Standing
from services.credits.statistics.models import MEASURES, Statistic, StatisticDay
from services.shared.driver import run_plain
from services.shared.employment import is_archived
from services.shared.placement import at_or_below

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


class TeacherFound(NamedTuple):
    """A teacher of a place, her standing in the programme, None without one, and whether her certificate is valid."""

    placement: Placement
    standing: Standing | None
    certified: bool


def list_teachers(
    db: Session,
    programme_id: uuid.UUID,
    place: str,
    stage: Stage | None,
    after: tuple[str, uuid.UUID] | None,
    limit: int,
) -> list[TeacherFound]:
    """The teachers who are at the place or below it now, school by school and never in the order of their figures.

    Archived ones are in no list of who has come how far (`domain.md` §3.4).
    """
    certified = (
        sa.select(sa.literal(True))
        .select_from(_CERTIFIED)
        .where(
            _CERTIFIED.c.teacher_id == Placement.teacher_id,
            _CERTIFIED.c.programme_id == programme_id,
            _CERTIFIED.c.live,
        )
        .exists()
    )
    select = (
        sa.select(Placement, Standing, certified.label("certified"))
        .outerjoin(
            Standing, sa.and_(Standing.teacher_id == Placement.teacher_id, Standing.programme_id == programme_id)
        )
        .where(at_or_below(Placement.place, place), ~is_archived(EmploymentStatus, Placement.teacher_id))
    )
    if stage is not None:
        select = select.where(_IN_STAGE[stage])
    if after is not None:
        select = select.where(sa.tuple_(Placement.place, Placement.teacher_id) > sa.tuple_(*after))
    found = db.execute(select.order_by(Placement.place, Placement.teacher_id).limit(limit))
    return [TeacherFound(row.Placement, row.Standing, row.certified) for row in found]


# Only the counting writes it, in statements of its own.
_CERTIFIED = sa.table("certified", sa.column("teacher_id"), sa.column("programme_id"), sa.column("live"))
_HAS_STUDIED = sa.func.jsonb_path_exists(Standing.courses, sa.text("'$[*].studied_seconds ? (@ > 0)'"))
# The same words as the totals: who is studying has watched anything, and has not finished.
_IN_STAGE: Mapping[Stage, Any] = {
    Stage.NOT_ENROLLED: sa.or_(Standing.teacher_id.is_(None), Standing.enrolled_at.is_(None)),
    Stage.NOT_STARTED: sa.and_(Standing.enrolled_at.is_not(None), sa.not_(_HAS_STUDIED)),
    Stage.STUDYING: sa.and_(Standing.enrolled_at.is_not(None), _HAS_STUDIED, sa.not_(Standing.requirement_met)),
    Stage.FINISHED: sa.and_(Standing.enrolled_at.is_not(None), Standing.requirement_met),
}


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
