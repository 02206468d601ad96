"""What only the operators' machine does: the first grants of an installation, and the end of a national operator's."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.actions import grants
from services.org.actions.grants import NewGrant
from services.org.models import AdminGrant
from services.org.rules import delegation as rules
from services.shared.bus import Call
from services.shared.errors import NotFound


def bootstrap_grant(db: Session, call: Call, arguments: dict[str, Any]) -> AdminGrant:
    """The first grants of an installation, from the operators' machine. A grant that exists is returned as it is."""
    role, account_id = arguments["role"], arguments["account_id"]
    target = queries.get_target(db, arguments["place"])
    call.authorise(place=target.place)
    rules.require_role_at_level(role, target.level)
    present = grants.lock_holders(db, call, role, target)
    for grant in present:
        if grant.account_id == account_id:
            return grant
    rules.require_room(role, len(present), grants.max_school_admins(db, target))
    return grants.add(db, call, NewGrant(role, account_id, target, call.now, None, call.actor.key))


def revoke_operator(db: Session, call: Call, account_id: uuid.UUID, reason: str) -> AdminGrant:
    """End a national operator's grant, from the operators' machine: nobody inside the installation may.

    Raises NotFound("org.operator_unknown"), Conflict("org.last_operator") when no other would be left.
    """
    # All of them at once: two who are revoked at the same moment may not each count on the other.
    operators = queries.lock_operators(db)
    call.authorise(place=contract.NATION)
    grant = next((each for each in operators if each.account_id == account_id), None)
    if grant is None:
        raise NotFound("org.operator_unknown")
    rules.require_another_operator(
        others=sum(grants.is_live(each, call.now) for each in operators if each is not grant)
    )
    grants.end_grant(db, call, grant, reason)
    return grant
