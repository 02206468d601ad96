"""Statistics of training, from the nation down to the school."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

from services.credits.contract.statistics import Stage
from services.credits.models import Standing
from services.credits.statistics import counting, queries, schemas
from services.credits.statistics.models import EVERYONE, MEASURES, Statistic
from services.shared import clock
from services.shared.bus import Call, periodic, query
from services.shared.paging import page_of

RUN_SECONDS = 5.0
NO_HOURS = Decimal("0.00")
NOTHING = dict.fromkeys(MEASURES, 0)


class Statistics:
    """Mixed into the service."""

    database: Any

    @query
    def get_statistics(self, call: Call) -> dict[str, Any]:
        """The totals of a place: of one programme, or of persons."""
        arguments = call.load(schemas.OnePlace())
        place, programme_id = arguments["place"], arguments["programme_id"] or EVERYONE
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            found, as_of = queries.find_statistic(db, programme_id, place, call.now)
            shown = schemas.Figures().dump(found or {"place": place, **NOTHING})
            return {**shown, "as_of": clock.format_instant(as_of)}

    @query
    def list_statistics_below(self, call: Call) -> dict[str, Any]:
        """The totals of each place directly below, in the order of the tree."""
        arguments = call.load(schemas.Below())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            programme_id = arguments["programme_id"] or EVERYONE
            found = queries.list_children(db, programme_id, place, arguments["cursor"], limit + 1)
            page = page_of(found, limit, schemas.Figures().dump, lambda row: row.place)
            return {**page, "as_of": clock.format_instant(queries.as_of(db, call.now))}

    @query
    def list_statistics_by_day(self, call: Call) -> dict[str, Any]:
        """By how much the totals of a place changed, day by day: what a chart draws."""
        arguments = call.load(schemas.ByDay())
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            programme_id = arguments.pop("programme_id") or EVERYONE
            found = queries.list_days(db, programme_id, **arguments)
            items = schemas.DayFigures(many=True, exclude=("place",)).dump(found)
            return {"items": items, "as_of": clock.format_instant(queries.as_of(db, call.now))}

    @query
    def list_teacher_statistics(self, call: Call) -> dict[str, Any]:
        """How far each teacher of a place has come in a programme, school by school: where the totals come from."""
        arguments = call.load(schemas.Teachers())
        limit = arguments.pop("limit")
        after = arguments.pop("cursor")
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            found = queries.list_teachers(db, **arguments, after=after, limit=limit + 1)
        page = page_of(found, limit, _of_teacher, lambda row: [row.placement.place, str(row.placement.teacher_id)])
        return {**page, "as_of": clock.format_instant(call.now)}

    @query
    def reconcile_statistics(self, call: Call) -> dict[str, Any]:
        """The proof that the roll-ups equal what was counted of each teacher, once all deltas are folded."""
        call.load(schemas.Reconcile())
        with self.database.work() as db:
            while counting.fold(db):
                pass
            expected = queries.count_directly(db)
            differences = []
            kept = {
                (row.programme_id, row.place): tuple(getattr(row, name) for name in MEASURES)
                for row in db.query(Statistic)
            }
            for key in sorted(expected.keys() | kept.keys(), key=str):
                right, found = expected.get(key, (0,) * len(MEASURES)), kept.get(key, (0,) * len(MEASURES))
                if any(a != b for a, b in zip(right, found, strict=True)):
                    differences.append(
                        {
                            "programme_id": str(key[0]),
                            "place": key[1],
                            "expected": [str(value) for value in right],
                            "kept": [str(value) for value in found],
                        }
                    )
        return {"checked": len(expected), "differences": differences, "after": None}

    @periodic(2.0, job="fold_statistics")
    def fold_statistics(self, _now: dt.datetime) -> None:
        """Fold what was counted since the last run; what is left waits for the next."""
        until = time.monotonic() + RUN_SECONDS
        while time.monotonic() < until:
            with self.database.work() as db:
                if not counting.fold(db):
                    return


def _of_teacher(found: queries.TeacherFound) -> dict[str, Any]:
    placement, standing = found.placement, found.standing
    studied = sum(course["studied_seconds"] for course in standing.courses) if standing else 0
    return {
        "teacher_id": str(placement.teacher_id),
        "school_name": placement.school_name,
        "place": placement.place,
        "verified": placement.state == "VERIFIED",
        "stage": str(_stage(standing, studied)),
        "studied_seconds": studied,
        "courses_done": standing.courses_done if standing else 0,
        "hours": f"{standing.hours if standing else NO_HOURS:.2f}",
        "certified": found.certified,
    }


def _stage(standing: Standing | None, studied: int) -> Stage:
    if standing is None or standing.enrolled_at is None:
        return Stage.NOT_ENROLLED
    if standing.requirement_met:
        return Stage.FINISHED
    return Stage.STUDYING if studied else Stage.NOT_STARTED
