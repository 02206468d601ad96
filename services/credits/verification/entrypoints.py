"""Yearly and cycle verification, and complaints about it (`domain.md` §3.18)."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

from services.credits import queries as credit_queries
from services.credits.models import Placement
from services.credits.verification import actions, open_years, queries, schemas, sheets
from services.shared import clock
from services.shared.bus import Call, command, periodic, query
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.paging import page_of
from services.shared.placement import at_or_below

# A run gives up its turn after this, so that stopping the process never waits long for it.
RUN_SECONDS = 10.0


class Verification:
    """Mixed into the service."""

    database: Any

    @query
    def get_year_verification(self, call: Call) -> dict[str, Any]:
        """What a teacher's year comes to: the frozen snapshot, or the figures as they stand (or stood at `as_of`)."""
        arguments = call.load(schemas.OneYear())
        teacher_id = _whose(call, arguments)
        year = arguments["year"]
        with self.database.read(call) as db:
            placement = _authorised(db, call, teacher_id)
            held = queries.find_verification(db, teacher_id, year)
            scheme = actions.scheme_of(held.place if held else placement.place, year)
            state = actions.shown_state(held, scheme, year, call.now)
            shown = {"teacher_id": str(teacher_id), "state": str(state), "version": held.version if held else 0}
            if held is not None and arguments["as_of"] is None:
                frozen_at = clock.format_instant(held.frozen_at)
                return {**shown, **held.body, "hash": held.hash, "as_of": frozen_at}
            as_of = arguments["as_of"] or call.now
            amounts = queries.list_amounts(db, [teacher_id], actions.years_of(scheme, year), as_of)[teacher_id]
            return {
                **shown,
                **actions.judge(scheme, year, amounts),
                "hash": None,
                "as_of": clock.format_instant(as_of),
            }

    @query
    def get_credit_matrix(self, call: Call) -> dict[str, Any]:
        """The page of category by year of a cycle, the present one unless a year is named; also as it stood at `as_of`."""
        arguments = call.load(schemas.OneCycle())
        teacher_id = _whose(call, arguments)
        as_of = arguments["as_of"] or call.now
        year = arguments["year"] or actions.beijing_year(as_of)
        with self.database.read(call) as db:
            placement = _authorised(db, call, teacher_id)
            scheme = actions.scheme_of(placement.place, year)
            amounts = queries.list_amounts(db, [teacher_id], actions.years_of(scheme, year), as_of)[teacher_id]
            return {"teacher_id": str(teacher_id), **actions.matrix(scheme, year, amounts, as_of)}

    @query
    def get_year_sheet(self, call: Call) -> dict[str, Any]:
        """What is printed of a frozen year. Raises Conflict for a year that is open, or whose hash does not fit."""
        arguments = call.load(schemas.OneSheet())
        teacher_id = _whose(call, arguments)
        with self.database.read(call) as db:
            placement = _authorised(db, call, teacher_id)
            held = queries.find_verification(db, teacher_id, arguments["year"])
            if held is None:
                raise Conflict("credits.year_open")
            return sheets.sheet(held, placement, call.now)

    @query
    def list_year_verifications(self, call: Call) -> dict[str, Any]:
        """The years of a place's teachers, school by school and never in the order of their figures: as they were frozen,
        or, while they are open, as they were computed in the night."""
        arguments = call.load(schemas.ListYears())
        cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
        wanted = queries.YearsWanted(**arguments)
        call.authorise(place=wanted.place, missing="credits.no_scheme")
        after = (cursor[0], _teacher_in(cursor[1])) if cursor else None
        with self.database.read(call) as db:
            found = queries.list_years(db, wanted, after, limit + 1)
        return page_of(
            found,
            limit,
            lambda row: sheets.year_line(row, call.now),
            lambda row: [row.placement.place, str(row.placement.teacher_id)],
        )

    @query
    def get_verification_summary(self, call: Call) -> dict[str, Any]:
        """How many years of a place are frozen and how many are open, how many of each meet the requirement, and the same of
        each place directly below."""
        arguments = call.load(schemas.YearOfPlace())
        call.authorise(place=arguments["place"], missing="credits.no_scheme")
        with self.database.read(call) as db:
            return schemas.Summary().dump({**arguments, **queries.sum_verifications(db, **arguments)})

    @query
    def count_complaints(self, call: Call) -> dict[str, Any]:
        """Complaints about a year, school by school, by what became of them."""
        arguments = call.load(schemas.YearOfPlace())
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            return {**arguments, "schools": queries.count_complaints(db, **arguments)}

    @command
    def file_complaint(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.NewComplaint())
        return self._complaint(call, lambda db: actions.file_complaint(db, call, given))

    @command
    def assign_complaint(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.ComplaintId())
        return self._complaint(call, lambda db: actions.assign_complaint(db, call, **given))

    @command
    def answer_complaint(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Answer())
        return self._complaint(call, lambda db: actions.answer_complaint(db, call, **given))

    @command
    def close_complaint(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.ComplaintId())
        return self._complaint(call, lambda db: actions.close_complaint(db, call, **given))

    @command
    def reopen_complaint(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Reopening())
        return self._complaint(call, lambda db: actions.reopen_complaint(db, call, **given))

    @query
    def list_own_complaints(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        arguments = call.load(schemas.ListOwnComplaints())
        with self.database.read(call) as db:
            return _page(db, queries.of_teacher(teacher_id), None, arguments)

    @query
    def list_complaints(self, call: Call) -> dict[str, Any]:
        """Complaints of the teachers of a place, the oldest first."""
        arguments = call.load(schemas.ListComplaints())
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            return _page(db, at_or_below(Placement.place, arguments["place"]), arguments["state"], arguments)

    @periodic(60.0, job="freeze_years")
    def freeze_years(self, now: dt.datetime) -> None:
        """Freeze the years whose closing day is over, a batch at a time; it goes on where it was stopped."""
        until = time.monotonic() + RUN_SECONDS
        for scheme, year in actions.due_closings(now):
            while time.monotonic() < until:
                with self.database.work() as db:
                    more = actions.freeze_batch(db, scheme, year, now)
                if not more:
                    break

    @periodic(60.0, job="compute_years")
    def compute_years(self, now: dt.datetime) -> None:
        """Compute the years that are open once a Beijing day, from midnight on; it goes on where it was stopped."""
        until = time.monotonic() + RUN_SECONDS
        for scheme, year in open_years.years_to_compute(now):
            while time.monotonic() < until:
                with self.database.work() as db:
                    more = open_years.compute_batch(db, scheme, year, now)
                if not more:
                    break

    def _complaint(self, call: Call, act: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.database.commit_once(call, act, schemas.Complaint())
        return changed


def _page(db: Any, condition: Any, state: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    limit = arguments["limit"]
    found = queries.list_complaints(db, condition, state, arguments["cursor"], limit + 1)
    return page_of(found, limit, schemas.Complaint().dump, lambda row: str(row.complaint_id))


def _authorised(db: Any, call: Call, teacher_id: uuid.UUID) -> Any:
    """The teacher's placement, if the caller may read her years."""
    call.authorise(subject=teacher_id, place=credit_queries.find_place(db, teacher_id), missing="credits.no_scheme")
    placement = queries.find_placement(db, teacher_id)
    if placement is None:
        raise NotFound("credits.no_scheme")
    return placement


def _teacher_in(cursor: str) -> uuid.UUID:
    try:
        return uuid.UUID(cursor)
    except ValueError:
        raise InvalidInput("shared.invalid", "cursor") from None


def _whose(call: Call, arguments: dict[str, Any]) -> uuid.UUID:
    """The named teacher, or the caller."""
    teacher_id: uuid.UUID | None = arguments["teacher_id"] or call.actor.account_id
    assert teacher_id is not None  # `Policy.admit` refused visitors
    return teacher_id
