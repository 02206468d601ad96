"""The list of one's own sign-ins, and ending those that one does not know."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access import queries as access_queries
from services.identity.access.rules import desks
from services.identity.actions.sign_ins import end_sign_in, end_sign_ins
from services.identity.models import SignIn
from services.identity.rules.contact import masked_name, masked_phone
from services.identity.rules.sign_in import REFRESH_IDLE
from services.identity.vault import Vault
from services.shared import clock, paging
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.errors import NotAllowed, NotFound


def list_sign_ins(db: Session, call: Call, cursor: uuid.UUID | None, limit: int) -> dict[str, Any]:
    """The caller's living sign-ins, newest first."""
    assert call.actor.account_id is not None  # `Policy.admit` refused visitors
    found = access_queries.list_living_sign_ins(db, call.actor.account_id, call.now - REFRESH_IDLE, cursor, limit)
    has_grants = bool(queries.find_grants(db, call.actor.account_id))
    return paging.page_of(
        found, limit, lambda sign_in: _show(call, sign_in, has_grants), lambda sign_in: str(sign_in.id)
    )


def _show(call: Call, sign_in: SignIn, has_grants: bool) -> dict[str, Any]:
    return {
        "session_id": sign_in.id,
        "current": sign_in.id == call.actor.session_id,
        "method": sign_in.method,
        "device": sign_in.device,
        "address": sign_in.address,
        "desk": desks.desk_at(Desk(sign_in.desk), sign_in.desk_opened_at, has_grants, call.now),
        "started_at": clock.format_instant(sign_in.started_at),
        "last_used_at": clock.format_instant(sign_in.last_used_at),
    }


def end_own_sign_in(db: Session, call: Call, sign_in_id: uuid.UUID) -> dict[str, Any]:
    """Sign one device of the caller out. Raises NotFound for another's, or one that has ended."""
    sign_in = access_queries.lock_living_sign_in(db, sign_in_id, call.actor.account_id)
    if sign_in is None:
        raise NotFound("identity.session_unknown")
    end_sign_in(db, sign_in, "ENDED_BY_OWNER", call.now)
    return {}


def end_other_sign_ins(db: Session, call: Call) -> dict[str, Any]:
    """Sign every other device of the caller out; returns how many there were."""
    assert call.actor.account_id is not None  # `Policy.admit` refused visitors
    ended = end_sign_ins(db, call.actor.account_id, "ENDED_BY_OWNER", call.now, spared=call.actor.session_id)
    return {"ended": ended}


def show_administrator(db: Session, call: Call, vault: Vault) -> dict[str, Any]:
    """The caller's own record as an administrator: true name and bound phone masked, grants, what is still missing.

    Raises NotAllowed("identity.no_desk") for who holds no grant.
    """
    assert call.actor.account_id is not None  # `Policy.admit` refused visitors
    account = queries.find_account(db, call.actor.account_id)
    profile = queries.find_profile(db, call.actor.account_id)
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    grants = queries.find_grants(db, account.id)
    name = vault.open("profile", account.id, "name", profile.name_sealed)
    problem = desks.desk_problem(grants, name)
    if problem == "identity.no_desk":
        raise NotAllowed(problem)
    missing = [
        code for code, lacks in ((problem, problem), ("identity.password_missing", not account.password_hash)) if lacks
    ]
    sign_in = db.get(SignIn, call.actor.session_id) if call.actor.session_id else None
    at_desk = sign_in is not None and call.actor.desk is Desk.ADMINISTRATOR and sign_in.desk_opened_at is not None
    elevation = call.actor.elevated_until
    return {
        "account_id": account.id,
        "name": masked_name(name),
        "phone": masked_phone(vault.open("account", account.id, "phone", account.phone_sealed)),
        "grants": [{"role": role, "place": place} for role, place in grants],
        "missing": missing,
        "desk": call.actor.desk,
        "desk_closes_at": clock.format_instant(sign_in.desk_opened_at + desks.DESK_OPEN_FOR)
        if at_desk and sign_in and sign_in.desk_opened_at
        else None,
        "elevated_until": clock.format_instant(elevation) if elevation and elevation > call.now else None,
    }
