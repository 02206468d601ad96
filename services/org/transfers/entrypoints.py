"""Transfers of teachers between schools (`domain.md` §3.3), and the holds in their way (§3.13)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity.contract.person import LEARNER_NO_ISSUED
from services.org.schemas import Nothing
from services.org.transfers import queries, schemas
from services.org.transfers.actions import decisions, holds, requests
from services.org.transfers.queries import TransferView
from services.org.transfers.rules.transfer import APPROVERS
from services.shared.actor import covers
from services.shared.bus import Call, Event, command, event_handler, query
from services.shared.paging import page_of


class Transfers:
    """Mixed into the service."""

    database: Any

    # --- asking ---

    @query
    def preview_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Preview())
        with self.database.read(call) as db:
            return schemas.PreviewReply().dump(requests.preview_transfer(db, call, **arguments))

    @command
    def request_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Request())
        return self._commit_transfer(call, lambda db: requests.request_transfer(db, call, **arguments))

    @command
    def withdraw_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Withdraw())
        return self._commit_transfer(call, lambda db: requests.withdraw_transfer(db, call, **arguments))

    # --- deciding ---

    @command
    def approve_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TransferId())
        return self._commit_transfer(call, lambda db: decisions.approve_transfer(db, call, **arguments))

    @command
    def reject_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Reject())
        return self._commit_transfer(call, lambda db: decisions.reject_transfer(db, call, **arguments))

    @query
    def list_transfers_to_decide(self, call: Call) -> dict[str, Any]:
        """What waits for the caller's own decision, oldest first."""
        arguments = call.load(schemas.ListMine())
        limit = arguments["limit"]
        seats = [
            (level, grant.place)
            for grant in call.actor.grants
            for level, roles in APPROVERS.items()
            if grant.role in roles
        ]
        call.authorise(place=seats[0][1])
        with self.database.read(call) as db:
            return _page(queries.list_to_decide(db, seats, arguments["cursor"], limit + 1), limit)

    # --- reading ---

    @query
    def get_transfer(self, call: Call) -> dict[str, Any]:
        transfer_id = call.load(schemas.TransferId())["transfer_id"]
        with self.database.read(call) as db:
            transfer = queries.get_view(db, transfer_id)
        ends = (transfer.to_place, transfer.from_place)
        call.authorise(transfer.teacher_id, _reached(call, ends), requests.MISSING)
        return schemas.Transfer().dump(transfer)

    @query
    def list_transfers(self, call: Call) -> dict[str, Any]:
        """The history of a school or region, both directions unless one is asked for."""
        arguments = call.load(schemas.ListTransfers())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_transfers(
                db, place, arguments["side"], arguments["state"], arguments["cursor"], limit + 1
            )
        return _page(found, limit)

    @query
    def list_own_transfers(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListMine())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            return _page(queries.list_own(db, call.authorise_own(), arguments["cursor"], limit + 1), limit)

    # --- holds ---

    @command
    def place_hold(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.PlaceHold())
        return self.database.commit_once(call, lambda db: holds.place_hold(db, call, arguments), schemas.Hold())

    @command
    def lift_hold(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.LiftHold())
        return self.database.commit_once(call, lambda db: holds.lift_hold(db, call, **arguments), schemas.Hold())

    @command
    def lift_holds(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.LiftHolds())
        return self.database.commit_once(call, lambda db: holds.lift_holds(db, call, arguments), schemas.HoldOutcomes())

    @query
    def list_holds(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListHolds())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_holds(db, place, arguments["kind"], arguments["state"], arguments["cursor"], limit + 1)
        return page_of(found, limit, schemas.Hold().dump, lambda hold: str(hold.hold_id))

    @query
    def list_own_holds(self, call: Call) -> dict[str, Any]:
        """What holds the caller, so that she knows where to go before a school asks for her."""
        call.load(Nothing())
        with self.database.read(call) as db:
            return {"items": schemas.Hold(many=True).dump(queries.list_own_holds(db, call.authorise_own()))}

    # --- what identity says ---

    @event_handler(LEARNER_NO_ISSUED)
    def on_learner_no_issued(self, db: Session, event: Event) -> None:
        payload = event.payload
        queries.keep_learner_number(db, uuid.UUID(payload["account_id"]), payload["learner_no"], payload["version"])

    # --- parts ---

    def _commit_transfer(self, call: Call, act: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.Transfer())
        return reply


def _page(found: Sequence[TransferView], limit: int) -> dict[str, Any]:
    return page_of(found, limit, schemas.Transfer().dump, lambda transfer: str(transfer.transfer_id))


def _reached(call: Call, places: Sequence[str]) -> str | None:
    """The first of these places that the caller's grants cover."""
    granted = call.actor.places(call.policy.roles)
    return next((place for place in places if any(covers(each, place) for each in granted)), None)
