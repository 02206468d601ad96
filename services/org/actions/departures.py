"""Somebody leaves a school or the system: the grants that went with it end."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.org import queries
from services.org.actions.grants import announce_holder
from services.org.contract import GrantState
from services.org.delegation.actions.seats import refresh_seat
from services.shared import audit
from services.shared.bus import Call


def end_grants_of(db: Session, call: Call, account_id: uuid.UUID, reason: str, at: str | None = None) -> int:
    """End an account's grants, or only those at one place; returns how many. The rights are gone with the announcement."""
    ending = [grant for grant in queries.list_active_grants(db, account_id) if at in (None, grant.place)]
    if not ending:
        return 0
    holder = queries.lock_holder(db, account_id)
    for grant in ending:
        grant.state, grant.announced = GrantState.REVOKED, False
        grant.ended_by, grant.ended_at = call.actor.key, call.now
    for place, role in sorted({(grant.place, grant.role) for grant in ending}):
        refresh_seat(db, place, role, call.now)
    db.flush()
    announce_holder(db, holder, call.now)
    audit.record_many(
        db,
        call,
        [
            audit.Act(
                account_id,
                grant.place,
                reason,
                before={"role": grant.role, "state": str(GrantState.ACTIVE)},
                after={"role": grant.role, "state": str(grant.state), "grant_id": str(grant.grant_id)},
            )
            for grant in ending
        ],
    )
    return len(ending)
