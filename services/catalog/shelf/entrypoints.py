"""Entrypoints of the shelf, and the news that it counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from sqlalchemy.orm import Session

from services.catalog.periods.queries import get_offering
from services.catalog.shelf import queries, rules, schemas
from services.catalog.shelf.actions import counting, rating, showing
from services.catalog.shelf.queries import Wanted
from services.identity.contract import PROFILE_CHANGED
from services.learning.contract.selection import CHOICE_CHANGED
from services.shared.bus import Call, Event, batch_consumer, command, event_handler, periodic, query

log = structlog.get_logger(__name__)

Reply = dict[str, Any]


class Shelf:
    """Mixed into the service."""

    database: Any

    @query
    def list_offerings(self, call: Call) -> Reply:
        """What is offered to somebody at a place: the city's, and the district's for its own people."""
        asked = call.load(schemas.BrowseOfferings())
        place, period_id, order = asked.pop("place"), asked.pop("period_id"), asked.pop("order")
        after, limit = asked.pop("cursor"), asked.pop("limit")
        wanted = Wanted(**asked)
        showing.require_subject(order, wanted.subject)
        with self.database.read(call) as db:
            periods = queries.find_periods(db, rules.shelves(place, call.actor), period_id, wanted.tier)
            found = queries.browse(db, periods, wanted, order, rules.key_of(after), limit + 1)
            shown = showing.show(db, [each.offering for each in found[:limit]], periods)
        return {
            "items": schemas.OfferingShown(many=True).dump(shown),
            "next_cursor": list(found[limit - 1].key) if len(found) > limit else None,
        }

    @query
    def get_offering(self, call: Call) -> Reply:
        offering_id = call.load(schemas.OfferingId())["offering_id"]
        with self.database.read(call) as db:
            return schemas.OfferingDetail().dump(showing.get_seen(db, call.actor, offering_id))

    @query
    def list_series(self, call: Call) -> Reply:
        """Series of micro-courses on offer, for display; each course is chosen by itself."""
        place = call.load(schemas.ListSeries())["place"]
        with self.database.read(call) as db:
            periods = queries.find_periods(db, rules.shelves(place, call.actor), None, None)
            return {"items": schemas.Series(many=True).dump(queries.list_series(db, periods))}

    @query
    def recommend_offerings(self, call: Call) -> Reply:
        """Five to eight courses for the caller, each with its reasons."""
        gaps = {gap["hour_type"]: gap["hours"] for gap in call.load(schemas.RecommendOfferings())["gaps"]}
        call.authorise_own()
        with self.database.read(call) as db:
            return {"items": schemas.RecommendationShown(many=True).dump(showing.recommend(db, call.actor, gaps))}

    @command
    def rate_offering(self, call: Call) -> Reply:
        asked = call.load(schemas.RateOffering())
        return self.database.commit_once(
            call, lambda db: rating.rate_offering(db, call, **asked), schemas.RatingShown()
        )

    @query
    def get_own_rating(self, call: Call) -> Reply:
        """The caller's own stars, null before the first; and whether the caller may give any."""
        offering_id = call.load(schemas.OfferingId())["offering_id"]
        teacher_id = call.authorise_own()
        with self.database.read(call) as db:
            course_id = get_offering(db, offering_id).course_id
            own = queries.find_rating(db, course_id, teacher_id)
            passed = rules.PASSED in queries.states_of(db, teacher_id, course_id)
            return {"offering_id": str(offering_id), "stars": own.stars if own else None, "may_rate": passed}

    @periodic(3600.0, job="recount_choices")
    def recount_choices(self, _now: dt.datetime) -> None:
        with self.database.work() as db:
            if wrong := counting.recount(db):
                log.warning("choices_counted_again", offerings=wrong)

    # --- what others announce ---

    @event_handler(PROFILE_CHANGED)
    def on_profile_changed(self, db: Session, event: Event) -> None:
        counting.keep_teaching(db, event.payload)

    @batch_consumer(CHOICE_CHANGED)
    def record_choices(self, db: Session, messages: list[Any]) -> None:
        counting.record_choices(db, [message.event().payload for message in messages])
