"""Transfers of teachers between schools (`domain.md` §3.3). What holds a teacher is asked of billing, before the transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.billing import contract as billing
from services.billing.contract.holds import Blocked, HoldKind
from services.identity.contract.person import LEARNER_NO_ISSUED
from services.org.transfers import queries, schemas
from services.org.transfers.actions import decisions, requests
from services.org.transfers.queries import TransferView
from services.org.transfers.rules.transfer import APPROVERS, Held
from services.shared.actor import covers
from services.shared.bus import Call, Event, command, event_handler, query
from services.shared.paging import page_of


class Transfers:
    """Mixed into the service."""

    database: Any
    bus: Any

    # --- asking ---

    @query
    def preview_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Preview())
        holds = self._holds_on(call, lambda db: queries.find_teacher(db, arguments["learner_no"]))
        with self.database.read(call) as db:
            return schemas.PreviewReply().dump(requests.preview_transfer(db, call, holds, **arguments))

    @command
    def request_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Request())
        holds = self._holds_on(call, lambda db: queries.find_teacher(db, arguments["learner_no"]))
        return self._commit_transfer(call, lambda db: requests.request_transfer(db, call, holds, **arguments))

    @command
    def withdraw_transfer(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Withdraw())
        return self._commit_transfer(call, lambda db: requests.withdraw_transfer(db, call, **arguments))

    # --- deciding ---

    @command
    def approve_transfer(self, call: Call) -> dict[str, Any]:
        transfer_id = call.load(schemas.TransferId())["transfer_id"]
        holds = self._holds_on(call, lambda db: queries.find_teacher_of(db, transfer_id))
        return self._commit_transfer(call, lambda db: decisions.approve_transfer(db, call, holds, transfer_id))

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

    def _holds_on(self, call: Call, find: Callable[[Session], uuid.UUID | None]) -> list[Held]:
        """What billing says of the teacher that `find` leads to; nobody found is for the action to refuse.

        Raises Unavailable when billing does not answer: a hold must not be dodged.
        """
        with self.database.look(call) as db:
            teacher_id = find(db)
        if teacher_id is None:
            return []
        told = self.bus.ask(billing.SERVICE, "find_holds", {"teacher_ids": [str(teacher_id)]}, call)["holds"]
        return [Held(HoldKind(hold["kind"]), frozenset(map(Blocked, hold["blocks"]))) for hold in told]

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
