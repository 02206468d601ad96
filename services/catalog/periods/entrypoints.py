"""Entrypoints of periods and offerings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.billing.contract.bills import PERIOD_BILLED
from services.catalog.contract.periods import PeriodState, Tier
from services.catalog.periods import queries, rules, schemas
from services.catalog.periods.actions import offerings, periods
from services.catalog.periods.rules import Act
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.errors import InvalidInput, NotFound
from services.shared.paging import page_of

Reply = dict[str, Any]


class Periods:
    """Mixed into the service."""

    database: Any

    # --- the period ---

    @command
    def plan_period(self, call: Call) -> Reply:
        values = call.load(schemas.PlanPeriod())
        place = values.pop("place")
        return self._commit(call, lambda db: periods.plan_period(db, call, place, values))

    @command
    def revise_period(self, call: Call) -> Reply:
        values = call.load(schemas.RevisePeriod())
        key = {name: values.pop(name) for name in ("period_id", "version", "reason")}
        return self._commit(call, lambda db: periods.revise_period(db, call, values=values, **key))

    @command
    def publish_period(self, call: Call) -> Reply:
        key = call.load(schemas.AdvancePeriod())
        return self._commit(call, lambda db: periods.publish_period(db, call, **key))

    @command
    def begin_teaching(self, call: Call) -> Reply:
        """The bills are out and the courses begin."""
        return self._advance(call, Act.TEACH)

    @command
    def finish_grading(self, call: Call) -> Reply:
        """All grades of the period are in."""
        return self._advance(call, Act.GRADE)

    @command
    def archive_period(self, call: Call) -> Reply:
        return self._advance(call, Act.ARCHIVE)

    @query
    def list_course_periods(self, call: Call) -> Reply:
        """Published periods of a place and of what it lies in, newest first."""
        arguments = call.load(schemas.ListPeriods())
        if arguments["state"] is PeriodState.PLANNED:
            raise InvalidInput("shared.invalid", "state", "planned periods are their keeper's")
        return self._page(call, arguments, rules.places_above(arguments["place"]), shown_only=True)

    @query
    def get_course_period(self, call: Call) -> Reply:
        period_id = call.load(schemas.PeriodId())["period_id"]
        with self.database.read(call) as db:
            period = queries.get_period(db, period_id)
            if PeriodState(period.state) not in rules.SHOWN:
                raise NotFound(queries.NO_PERIOD, "period_id")
            return schemas.Period().dump(period)

    @query
    def list_kept_periods(self, call: Call) -> Reply:
        """The keeper's own, planned ones among them."""
        arguments = call.load(schemas.ListPeriods())
        call.authorise(place=arguments["place"], missing="catalog.period_place", field="place")
        tiers = [tier for tier in Tier if rules.keeps(call.actor.grants, tier, arguments["place"])]
        return self._page(call, arguments, [arguments["place"]], tiers=tiers)

    @query
    def get_kept_period(self, call: Call) -> Reply:
        period_id = call.load(schemas.PeriodId())["period_id"]
        with self.database.read(call) as db:
            period = queries.get_period(db, period_id)
            periods.authorise_keeper(call, period)
            return schemas.Period().dump(period)

    # --- what it offers ---

    @command
    def add_offerings(self, call: Call) -> Reply:
        arguments = call.load(schemas.AddOfferings())
        reply = schemas.Offerings()
        return self.database.commit_once(
            call,
            lambda db: {"items": offerings.add_offerings(db, call, arguments["period_id"], arguments["offerings"])},
            reply,
        )

    @command
    def change_offering(self, call: Call) -> Reply:
        arguments = call.load(schemas.ChangeOffering())
        return self._commit_offering(call, lambda db: offerings.change_offering(db, call, **arguments))

    @command
    def withdraw_offering(self, call: Call) -> Reply:
        arguments = call.load(schemas.WithdrawOffering())
        return self._commit_offering(call, lambda db: offerings.withdraw_offering(db, call, **arguments))

    @query
    def list_kept_offerings(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListKeptOfferings())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            period = queries.get_period(db, arguments["period_id"])
            periods.authorise_keeper(call, period)
            found = queries.list_offerings(db, period.period_id, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Offering().dump, lambda offering: str(offering.offering_id))

    @query
    def list_offering_versions(self, call: Call) -> Reply:
        """What was announced of an offering, newest first."""
        offering_id = call.load(schemas.OfferingId())["offering_id"]
        with self.database.read(call) as db:
            offering = queries.get_offering(db, offering_id)
            call.authorise(place=offering.place, missing=queries.NO_OFFERING, field="offering_id")
            if not rules.keeps(call.actor.grants, Tier(offering.tier), offering.place):
                raise NotFound(queries.NO_OFFERING, "offering_id")
            found = queries.list_versions(db, offering_id)
            return {"items": [schemas.PastOffering().dump(each) for each in found]}

    # --- the clock ---

    @periodic(2.0, job="move_due_periods")
    def move_due_periods(self, now: dt.datetime) -> None:
        """PUBLISHED to SELECTING to CLOSED, as the business clock says."""
        with self.database.work() as db:
            periods.move_due_periods(db, now)

    @event_handler(PERIOD_BILLED)
    def on_period_billed(self, db: Session, event: Event) -> None:
        periods.mark_billed(db, uuid.UUID(event.payload["period_id"]), event.occurred_at)

    # --- shared ---

    def _advance(self, call: Call, act: Act) -> Reply:
        key = call.load(schemas.AdvancePeriod())
        return self._commit(call, lambda db: periods.advance_period(db, call, act=act, **key))

    def _commit(self, call: Call, act: Callable[[Any], Any]) -> Reply:
        reply: Reply = self.database.commit_once(call, act, schemas.Period())
        return reply

    def _commit_offering(self, call: Call, act: Callable[[Any], Any]) -> Reply:
        reply: Reply = self.database.commit_once(call, act, schemas.Offering())
        return reply

    def _page(
        self,
        call: Call,
        arguments: Reply,
        places: list[str],
        *,
        tiers: list[Tier] | None = None,
        shown_only: bool = False,
    ) -> Reply:
        cursor: uuid.UUID | None = arguments["cursor"]
        limit = arguments["limit"]
        states = rules.SHOWN if shown_only else frozenset(PeriodState)
        if arguments["state"] is not None:
            states &= {arguments["state"]}
        with self.database.read(call) as db:
            found = queries.list_periods(db, places, states, list(Tier) if tiers is None else tiers, cursor, limit + 1)
            return page_of(found, limit, schemas.Period().dump, lambda period: str(period.period_id))
