"""Telling the present state again, for a service whose projection was lost or restored to an earlier time.

Versions stay as they are: whoever knows this version already ignores it, whoever has an older one takes it.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries
from services.org.actions import grants, memberships
from services.shared.bus import Call

MEMBERSHIPS, GRANTS = "MEMBERSHIPS", "GRANTS"


def announce_again(db: Session, call: Call, what: str, after: uuid.UUID | None, limit: int) -> dict[str, Any]:
    """Announce up to `limit` memberships or holders of grants after `after`; `next` is None when all were told."""
    call.authorise()
    told = (_memberships if what == MEMBERSHIPS else _grants)(db, after, limit)
    return {"announced": len(told), "next": str(told[-1]) if len(told) == limit else None}


def _memberships(db: Session, after: uuid.UUID | None, limit: int) -> list[uuid.UUID]:
    # Locked, so that nothing newer can be announced, and delivered, before what is told here.
    found = queries.lock_memberships_after(db, after, limit)
    schools = queries.find_schools_by_id(db, {membership.school_id for membership in found})
    memberships.announce_all(db, [(membership, schools[membership.school_id].name) for membership in found])
    return [membership.teacher_id for membership in found]


def _grants(db: Session, after: uuid.UUID | None, limit: int) -> list[uuid.UUID]:
    found = queries.lock_holders_after(db, after, limit)
    announced = queries.list_announced_grants(db, [holder.account_id for holder in found])
    grants.tell_grants(
        db,
        [(holder, [grant for grant in announced if grant.account_id == holder.account_id]) for holder in found],
    )
    return [holder.account_id for holder in found]
