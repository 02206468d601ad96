"""How many teachers are where: kept by changes, folded into every place above, never counted when asked."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from services.org.staffing import queries
from services.org.staffing.rules import counts as rules

BATCH = 20_000  # changes of one fold; a change is what one statement did at one school


@dataclasses.dataclass(frozen=True)
class Counted:
    """The teachers of one place. `as_of` is the moment of the answer: what is not folded yet is added to it."""

    place: str
    name: str
    teachers: int
    verified: int
    waiting: int
    archived: int
    by: list[dict[str, Any]]
    as_of: dt.datetime


def get_counts(db: Session, place: str, name: str, now: dt.datetime) -> Counted:
    """The teachers at a place and below it."""
    return _counted(db, place, [queries.Unit(place, name)], now)[0]


def list_counts(db: Session, place: str, after: str | None, limit: int, now: dt.datetime) -> list[Counted]:
    """The same for each division and school directly under a region."""
    return _counted(db, place, queries.list_units_under(db, place, after, limit), now)


def fold_counts(db: Session) -> int:
    """Carry the changes since the last fold to their schools and every place above; returns how many there were."""
    changes = queries.take_changes(db, BATCH)
    queries.add_counts(db, rules.rolled_up(changes))
    return len(changes)


def reconcile_counts(db: Session, after: str | None, limit: int) -> dict[str, Any]:
    """Compare the counts of a page of places with the memberships themselves; `after` is where to go on."""
    compared = queries.compare_counts(db, after or "", limit)
    return {
        "checked": len(compared),
        "differences": [row for row in compared if row["counted"] != row["there"]],
        "after": compared[-1]["place"] if len(compared) == limit else None,
    }


def _counted(db: Session, place: str, units: list[queries.Unit], now: dt.datetime) -> list[Counted]:
    places = {unit.place for unit in units}
    sums: dict[rules.Key, int] = {}
    for where, state, employment, teachers in queries.counts_at(db, places):
        sums[where, state, employment] = teachers
    for (where, state, employment), teachers in rules.rolled_up(queries.changes_below(db, place)).items():
        if where in places:
            sums[where, state, employment] = sums.get((where, state, employment), 0) + teachers
    return [_shown(unit, sums, now) for unit in units]


def _shown(unit: queries.Unit, sums: dict[rules.Key, int], now: dt.datetime) -> Counted:
    counted = [
        (state, employment, teachers)
        for (place, state, employment), teachers in sorted(sums.items())
        if place == unit.place and teachers
    ]
    by = [{"state": state, "employment": employment, "teachers": teachers} for state, employment, teachers in counted]
    totals = rules.summary(counted)
    return Counted(unit.place, unit.name, **totals, by=by, as_of=now)
