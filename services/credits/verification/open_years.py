"""What open years come to, computed every night, so that a school sees who is short of what while there is time.

Nothing here is frozen or binds anybody: a teacher's own page is computed from the ledger when it is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits import schemes
from services.credits.models import Placement
from services.credits.schemes import Scheme
from services.credits.verification import actions, queries
from services.credits.verification.models import OpenYear, OpenYearTotal, YearComputation
from services.shared import clock

BATCH = 500


def years_to_compute(now: dt.datetime) -> list[tuple[Scheme, int]]:
    """(scheme, year) of all years that have begun and whose closing day is not over."""
    this_year = actions.beijing_year(now)
    return [
        (scheme, year)
        for scheme in schemes.list_schemes()
        for cycle in scheme.cycles
        for year in cycle
        if year <= this_year and now < scheme.closing_of(year)
    ]


def compute_batch(db: Session, scheme: Scheme, year: int, now: dt.datetime) -> bool:
    """Compute the next teachers' year; returns whether there are more tonight. It may die anywhere and goes on from there."""
    db.execute(
        insert(YearComputation).values(scheme_id=scheme.scheme_id, year=year, begun_at=now).on_conflict_do_nothing()
    )
    run = queries.lock_computation(db, scheme.scheme_id, year)
    if run is None:
        return False
    if run.done_at is not None:
        if _beijing_day(run.begun_at) >= _beijing_day(now):
            return False
        run.begun_at, run.done_at, run.after_teacher = now, None, None
    teachers = queries.list_teachers_of(db, scheme.place, run.after_teacher, BATCH)
    _compute(db, scheme, year, teachers, run.begun_at)
    if len(teachers) == BATCH:
        run.after_teacher = teachers[-1].teacher_id
        return True
    _finish(db, scheme, year, run.begun_at)
    run.done_at = now
    return False


def _compute(db: Session, scheme: Scheme, year: int, teachers: Sequence[Placement], begun_at: dt.datetime) -> None:
    # A county below may have adopted a scheme of its own.
    mine = [each for each in teachers if schemes.find_scheme(each.place, year) == scheme]
    if not mine:
        return
    amounts = queries.list_amounts(db, [each.teacher_id for each in mine], actions.years_of(scheme, year), begun_at)
    statement = insert(OpenYear)
    changed = {column: statement.excluded[column] for column in _CHANGED}
    db.execute(
        statement.on_conflict_do_update(index_elements=["teacher_id", "year"], set_=changed),
        [_row(each, actions.judge(scheme, year, amounts[each.teacher_id]), begun_at) for each in mine],
    )


_CHANGED = ("scheme_id", "place", "school_name", "met", "figures", "computed_at")


def _row(placement: Placement, judged: dict[str, Any], begun_at: dt.datetime) -> dict[str, Any]:
    of_year, cycle = judged["verification"], judged["cycle"]
    return {
        "teacher_id": placement.teacher_id,
        "year": judged["year"],
        "scheme_id": judged["scheme"],
        "place": placement.place,
        "school_name": placement.school_name,
        "met": of_year["met"],
        "figures": {
            "pack": judged["pack"],
            **{name: of_year[name] for name in ("total", "amounts", "shortfalls")},
            "cycle_met": cycle["met"] if cycle["required"] else None,
            "cycle_total": cycle["total"],
        },
        "computed_at": begun_at,
    }


def _finish(db: Session, scheme: Scheme, year: int, begun_at: dt.datetime) -> None:
    """Whom tonight's pass did not meet has left; the totals are counted once, and stand until the next pass is through."""
    of_scheme = (OpenYear.scheme_id == scheme.scheme_id, OpenYear.year == year)
    db.execute(sa.delete(OpenYear).where(*of_scheme, OpenYear.computed_at < begun_at))
    queries.forget_open_totals(db, scheme.scheme_id, year)
    counted = (
        sa.select(
            OpenYear.scheme_id,
            OpenYear.year,
            OpenYear.place,
            sa.func.count(),
            sa.func.count().filter(OpenYear.met),
            sa.literal(begun_at, sa.DateTime(timezone=True)),
        )
        .where(*of_scheme)
        .group_by(OpenYear.scheme_id, OpenYear.year, OpenYear.place)
    )
    names = ["scheme_id", "year", "place", "teachers", "met", "computed_at"]
    db.execute(sa.insert(OpenYearTotal).from_select(names, counted))


def _beijing_day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(clock.BEIJING).date()
