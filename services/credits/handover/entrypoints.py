"""Hours of national seasons in the local register."""

from __future__ import annotations

from typing import Any

from services.credits.handover import actions, queries, schemas
from services.shared.bus import Call, command, query
from services.shared.paging import page_of


class Handovers:
    """Mixed into the service."""

    database: Any

    @query
    def list_handovers(self, call: Call) -> dict[str, Any]:
        """What was handed over below a place, or is held there for people to decide."""
        arguments = call.load(schemas.ListHandovers())
        call.authorise(place=arguments["place"], missing="credits.no_scheme")
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_handovers(db, arguments["place"], arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.HandoverShown().dump, lambda row: str(row.certificate_id))

    @command
    def settle_handovers(self, call: Call) -> dict[str, Any]:
        """Try again what is held at a place, and what its rules ask for only now; a batch at a time."""
        arguments = call.load(schemas.SettleHandovers())
        call.authorise(place=arguments["place"], missing="credits.no_scheme")
        settled: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.settle(db, call, **arguments), schemas.Settled()
        )
        return settled
