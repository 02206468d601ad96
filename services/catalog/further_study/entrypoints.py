"""Entrypoints of degree and skills offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.catalog.contract.further_study import ApplicationState
from services.catalog.further_study import actions, queries, schemas
from services.catalog.further_study.models import Application, StudyOffer
from services.catalog.periods.rules import places_above
from services.shared.bus import Call, command, query
from services.shared.paging import page_of
from services.shared.placement import is_below

Reply = dict[str, Any]


class FurtherStudy:
    """Mixed into the service."""

    database: Any

    @command
    def create_study_offer(self, call: Call) -> Reply:
        values = call.load(schemas.CreateOffer())
        place = values.pop("place")
        return self._commit_offer(call, lambda db: actions.create_offer(db, call, place, values))

    @command
    def change_study_offer(self, call: Call) -> Reply:
        values = call.load(schemas.ChangeOffer())
        offer_id, version = values.pop("offer_id"), values.pop("version")
        return self._commit_offer(call, lambda db: actions.change_offer(db, call, offer_id, version, values))

    @command
    def withdraw_study_offer(self, call: Call) -> Reply:
        given = call.load(schemas.WithdrawOffer())
        return self._commit_offer(call, lambda db: actions.withdraw_offer(db, call, **given))

    @query
    def list_study_offers(self, call: Call) -> Reply:
        """What is open, or will be, to somebody at a place: the offers of all that it lies in, newest first."""
        asked = call.load(schemas.ListOffers())
        return self._offers(call, asked, queries.shown_at(places_above(asked["place"])), call.now)

    @query
    def list_kept_study_offers(self, call: Call) -> Reply:
        """Those of a place and below it, whatever their state."""
        asked = call.load(schemas.ListOffers())
        place = asked["place"]
        call.authorise(place=place, missing="catalog.keeper_elsewhere", field="place")
        return self._offers(call, asked, (StudyOffer.place == place) | is_below(StudyOffer.place, place), None)

    @query
    def get_study_offer(self, call: Call) -> Reply:
        offer_id = call.load(schemas.OfferId())["offer_id"]
        with self.database.read(call) as db:
            return schemas.Offer().dump(queries.get_offer(db, offer_id))

    @command
    def apply_for_study(self, call: Call) -> Reply:
        given = call.load(schemas.Apply())
        return self._commit_application(call, lambda db: actions.apply(db, call, **given))

    @command
    def take_back_study_application(self, call: Call) -> Reply:
        key = call.load(schemas.ApplicationId())
        return self._commit_application(call, lambda db: actions.take_back(db, call, **key))

    @command
    def accept_study_application(self, call: Call) -> Reply:
        key = call.load(schemas.ApplicationId())
        return self._commit_application(
            call, lambda db: actions.decide(db, call, **key, state=ApplicationState.ACCEPTED)
        )

    @command
    def reject_study_application(self, call: Call) -> Reply:
        given = call.load(schemas.RejectApplication())
        return self._commit_application(
            call, lambda db: actions.decide(db, call, **given, state=ApplicationState.REJECTED)
        )

    @query
    def list_own_study_applications(self, call: Call) -> Reply:
        asked = call.load(schemas.ListOwnApplications())
        teacher_id = call.authorise_own()
        return self._applications(call, asked, Application.teacher_id == teacher_id)

    @query
    def list_study_applications(self, call: Call) -> Reply:
        """Who has applied for an offer that the caller keeps."""
        asked = call.load(schemas.ListApplications())
        with self.database.read(call) as db:
            offer = queries.get_offer(db, asked["offer_id"])
            call.authorise(place=offer.place, missing=queries.NO_OFFER, field="offer_id")
        return self._applications(call, asked, Application.offer_id == offer.offer_id)

    # --- shared ---

    def _offers(self, call: Call, asked: Reply, where: Any, now: Any) -> Reply:
        limit = asked["limit"]
        with self.database.read(call) as db:
            found = queries.list_offers(db, where, asked["kind"], now, asked["cursor"], limit + 1)
            return page_of(found, limit, schemas.Offer().dump, lambda offer: str(offer.offer_id))

    def _applications(self, call: Call, asked: Reply, where: Any) -> Reply:
        limit = asked["limit"]
        with self.database.read(call) as db:
            found = queries.list_applications(db, where, asked.get("state"), asked["cursor"], limit + 1)
            return page_of(found, limit, schemas.Application().dump, lambda each: str(each.application_id))

    def _commit_offer(self, call: Call, act: Callable[[Any], StudyOffer]) -> Reply:
        reply: Reply = self.database.commit_once(call, act, schemas.Offer())
        return reply

    def _commit_application(self, call: Call, act: Callable[[Any], Application]) -> Reply:
        reply: Reply = self.database.commit_once(call, act, schemas.Application())
        return reply
