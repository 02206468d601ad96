"""Entrypoints of holds: the one question that transfers and selection ask, placing, lifting, lists."""

from __future__ import annotations

from typing import Any

from services.billing.bills.actions import overdue
from services.billing.contract.holds import HoldKind
from services.billing.holds import actions, queries, schemas
from services.billing.holds.policy_file import policies
from services.billing.schemas import Nothing
from services.shared.bus import Call, command, query
from services.shared.paging import page_of

PLACE_UNKNOWN = "billing.place_unknown"


class Holds:
    """Mixed into the service."""

    database: Any

    @query
    def find_holds(self, call: Call) -> dict[str, Any]:
        """What holds these teachers now and from what it keeps them; whom nothing holds is not in the answer."""
        teacher_ids = call.load(schemas.FindHolds())["teacher_ids"]
        with self.database.read(call) as db:
            found = queries.list_active(db, teacher_ids)
        holds = [
            {
                "teacher_id": teacher_id,
                "kind": HoldKind(hold.kind),
                "occurrence": hold.occurrence,
                "since": hold.placed_at,
                "blocks": policies()[HoldKind(hold.kind)].blocks,
                "period_ids": [hold.period_id] if hold.period_id else [],
                "place_id": hold.place,
            }
            for teacher_id, hold in found
        ]
        return schemas.HoldsFound().dump({"holds": holds})

    @command
    def place_hold(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.PlaceHold())
        return self.database.commit_once(call, lambda db: actions.place_hold(db, call, arguments), schemas.Hold())

    @command
    def lift_hold(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.LiftHold())
        return self.database.commit_once(
            call, lambda db: actions.lift_hold(db, call, overdue.delete_records, **arguments), schemas.Hold()
        )

    @command
    def lift_holds(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.LiftHolds())
        return self.database.commit_once(
            call, lambda db: actions.lift_holds(db, call, overdue.delete_records, arguments), schemas.HoldOutcomes()
        )

    @query
    def list_holds(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListHolds())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            found = queries.list_holds(db, place, arguments["kind"], arguments["state"], arguments["cursor"], limit + 1)
        return page_of(found, limit, schemas.Hold().dump, lambda hold: str(hold.hold_id))

    @query
    def count_special_users(self, call: Call) -> dict[str, int]:
        """How many of a place's teachers are special users, for the desk of a school."""
        place = call.load(schemas.AtPlace())["place"]
        call.authorise(place=place, missing=PLACE_UNKNOWN)
        with self.database.read(call) as db:
            return {"special_users": queries.count_special_users(db, place)}

    @query
    def list_own_holds(self, call: Call) -> dict[str, Any]:
        """What holds the caller, so that she knows where to go before a school asks for her."""
        call.load(Nothing())
        with self.database.read(call) as db:
            return {"items": schemas.Hold(many=True).dump(queries.list_own_holds(db, call.authorise_own()))}
