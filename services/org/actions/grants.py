"""Granting and revoking roles. Each change announces the complete list of the holder's live grants."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.contract import GrantState, Level
from services.org.models import AdminGrant, GrantHolder
from services.org.rules import delegation as rules
from services.org.rules.delegation import Held, Target
from services.shared import audit, outbox
from services.shared.actor import Actor, Role
from services.shared.bus import Call
from services.shared.errors import Conflict
from services.shared.ids import new_id

BATCH = 500  # holders announced in one run of the sweeper


def grant_role(db: Session, call: Call, arguments: dict[str, Any]) -> AdminGrant:
    """Give an account a role at a place. `replace` ends the present holders' grants in the same transaction.

    Raises NotFound for a place outside the caller's territory, NotAllowed for more than the caller may give and for the
    caller himself, InvalidInput for a role that does not exist there, Conflict when the place is taken.
    """
    role, account_id = arguments["role"], arguments["account_id"]
    target = queries.get_target(db, arguments["place"])
    call.authorise(place=target.place, missing="org.place_unknown")
    rules.require_role_at_level(role, target.level)
    rules.require_other_holder(call.actor.account_id, account_id)
    rules.require_delegation(held_by(db, call.actor, call.now), role, target)
    valid_from = arguments["valid_from"] or call.now
    rules.require_period(valid_from, arguments["valid_to"], call.now)
    _lock_place(db, target)
    _end_expired(db, queries.list_holders_at(db, role, target.place), call.now)
    if any(grant.account_id == account_id for grant in queries.list_holders_at(db, role, target.place)):
        raise Conflict("org.grant_exists")
    if arguments["replace"]:
        _replace(db, call, role, target)
    rules.require_room(role, len(queries.list_holders_at(db, role, target.place)))
    return _add(db, call, role, account_id, target, valid_from, arguments["valid_to"])


def bootstrap_grant(db: Session, call: Call, arguments: dict[str, Any]) -> AdminGrant:
    """The first grants of an installation, from the operators' machine. A grant that exists is returned as it is."""
    role, account_id = arguments["role"], arguments["account_id"]
    target = queries.get_target(db, arguments["place"])
    call.authorise(place=target.place)
    rules.require_role_at_level(role, target.level)
    _lock_place(db, target)
    holders = queries.list_holders_at(db, role, target.place)
    _end_expired(db, holders, call.now)
    for grant in holders:
        if grant.account_id == account_id and grant.state == GrantState.ACTIVE:
            return grant
    rules.require_room(role, len(queries.list_holders_at(db, role, target.place)))
    return _add(db, call, role, account_id, target, call.now, None)


def revoke_grant(db: Session, call: Call, grant_id: uuid.UUID, reason: str) -> AdminGrant:
    """End a grant now. Raises NotFound outside the territory, NotAllowed without the right to give it, Conflict if ended."""
    grant = queries.lock_grant(db, grant_id)
    call.authorise(place=grant.place, missing="org.grant_unknown")
    rules.require_other_holder(call.actor.account_id, grant.account_id)
    rules.require_delegation(held_by(db, call.actor, call.now), Role(grant.role), queries.get_target(db, grant.place))
    if grant.state != GrantState.ACTIVE:
        raise Conflict("org.grant_ended")
    _end(grant, GrantState.REVOKED, call.actor.key, call.now)
    announce_holder(db, queries.lock_holder(db, grant.account_id), call.now)
    _record(db, call, grant, before=GrantState.ACTIVE, reason=reason)
    return grant


def apply_due_grants(db: Session, now: dt.datetime) -> int:
    """End the grants whose time is over, announce those whose time has come; returns how many accounts changed."""
    due = queries.lock_due_grants(db, now, BATCH)
    _end_expired(db, due, now)
    holders = sorted({grant.account_id for grant in due})
    for account_id in holders:
        announce_holder(db, queries.lock_holder(db, account_id), now)
    return len(holders)


def held_by(db: Session, actor: Actor, now: dt.datetime) -> list[Held]:
    """What the caller really holds now: named in the access token and still live here, for a token is minutes old."""
    assert actor.account_id is not None
    claimed = {(str(grant.role), grant.place) for grant in actor.grants}
    held = []
    for grant in queries.list_active_grants(db, actor.account_id):
        target = queries.find_target(db, grant.place)
        if (grant.role, grant.place) in claimed and is_live(grant, now) and target is not None:
            held.append(Held(Role(grant.role), grant.place, target.level))
    return held


def is_live(grant: AdminGrant, now: dt.datetime) -> bool:
    return rules.is_live(GrantState(grant.state), grant.valid_from, grant.valid_to, now)


def announce_holder(db: Session, holder: GrantHolder, now: dt.datetime) -> None:
    """Tell the complete list of the holder's live grants, one version further."""
    active = queries.list_active_grants(db, holder.account_id)
    for grant in active:
        grant.announced = is_live(grant, now)
    holder.version += 1
    live = [grant for grant in active if grant.announced]
    outbox.announce(db, contract.GRANTS_CHANGED, holder.account_id, payload_of(holder, live))


def payload_of(holder: GrantHolder, live: Sequence[AdminGrant]) -> dict[str, Any]:
    """The holder's live grants as `org.grants_changed` tells them."""
    pairs = sorted({(grant.role, grant.place) for grant in live})
    return {
        "account_id": str(holder.account_id),
        "version": holder.version,
        "grants": [[role, place] for role, place in pairs],
    }


def _add(
    db: Session,
    call: Call,
    role: Role,
    account_id: uuid.UUID,
    target: Target,
    valid_from: dt.datetime,
    valid_to: dt.datetime | None,
) -> AdminGrant:
    holder = queries.lock_holder(db, account_id)
    grant = AdminGrant(
        grant_id=new_id(),
        account_id=account_id,
        role=role,
        place=target.place,
        state=GrantState.ACTIVE,
        valid_from=valid_from,
        valid_to=valid_to,
        announced=False,
        granted_by=call.actor.key,
        granted_at=call.now,
    )
    db.add(grant)
    db.flush()
    announce_holder(db, holder, call.now)
    _record(db, call, grant, before=None)
    return grant


def _replace(db: Session, call: Call, role: Role, target: Target) -> None:
    """End every other holder's grant of the role at this place: a change of principal is one act, without a gap."""
    for grant in queries.list_holders_at(db, role, target.place):
        rules.require_other_holder(call.actor.account_id, grant.account_id)
        _end(grant, GrantState.REVOKED, call.actor.key, call.now)
        db.flush()
        announce_holder(db, queries.lock_holder(db, grant.account_id), call.now)
        _record(db, call, grant, before=GrantState.ACTIVE, reason="replaced")


def _end_expired(db: Session, grants: Iterable[AdminGrant], now: dt.datetime) -> None:
    for grant in grants:
        if grant.valid_to is not None and grant.valid_to <= now:
            _end(grant, GrantState.EXPIRED, "", now)
    db.flush()


def _end(grant: AdminGrant, state: GrantState, by: str, now: dt.datetime) -> None:
    grant.state, grant.ended_by, grant.ended_at, grant.announced = state, by, now, False


def _lock_place(db: Session, target: Target) -> None:
    if target.level is Level.SCHOOL:
        queries.lock_school_at(db, target.place)


def _record(db: Session, call: Call, grant: AdminGrant, *, before: GrantState | None, reason: str = "") -> None:
    audit.record(
        db,
        call,
        subject=grant.account_id,
        place=grant.place,
        reason=reason,
        before={"role": str(grant.role), "state": str(before)} if before else {},
        after={"role": str(grant.role), "state": str(grant.state), "grant_id": str(grant.grant_id)},
    )
