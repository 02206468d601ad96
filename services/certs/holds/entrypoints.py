"""Holds on issuing certificates."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from services.certs.holds import actions, schemas
from services.credits.contract.reconciling import RECONCILIATION_FAILED
from services.shared import clock
from services.shared.bus import Call, Event, command, event_handler, query


class Holds:
    """Mixed into the service."""

    database: Any

    @event_handler(RECONCILIATION_FAILED)
    def on_reconciliation_failed(self, db: Session, event: Event) -> None:
        actions.hold_issue(db, event.payload, clock.now())

    @query
    def list_issue_holds(self, call: Call) -> dict[str, Any]:
        """Programmes whose certificates wait, or waited, because credits' proof failed."""
        call.load(schemas.Nothing())
        call.authorise(place=actions.NATION, missing="certs.hold_unknown")
        with self.database.read(call) as db:
            return {"items": schemas.Hold(many=True).dump(actions.list_holds(db))}

    @command
    def lift_issue_hold(self, call: Call) -> dict[str, Any]:
        """Let issuing go on, with the reason why that is right."""
        arguments = call.load(schemas.LiftHold())
        call.authorise(place=actions.NATION, missing="certs.hold_unknown")
        lifted: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.lift_hold(db, call, **arguments), schemas.Hold()
        )
        return lifted
