"""Granting and revoking roles. Each change announces the complete list of the holder's live grants."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.contract import GrantState, Level
from services.org.contract.delegation import Ending
from services.org.delegation import queries as code_queries
from services.org.delegation.actions import code_states
from services.org.delegation.actions.seats import refresh_seat
from services.org.models import AdminGrant, GrantHolder
from services.org.rules import delegation as rules
from services.org.rules.delegation import Held, Target
from services.org.units.queries import tenant_policy
from services.shared import audit, outbox
from services.shared.actor import Actor, Role
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id

BATCH = 500  # holders announced in one run of the sweeper


def grant_role(db: Session, call: Call, arguments: dict[str, Any]) -> AdminGrant:
    """Give an account a role at a place, where one person is enough. Raises what `check_appointment` raises, and
    Conflict("org.second_person_needed") for a role of a province or of the nation."""
    checked = check_appointment(db, call, arguments)
    rules.require_one_person_enough(checked.target.level)
    return appoint(db, call, checked, call.actor.key)


def check_appointment(db: Session, call: Call, arguments: dict[str, Any]) -> Appointment:
    """What the caller may give, and that it can be given now; nobody else appoints at the place until the commit.

    Raises NotFound for a place outside the caller's territory and for an unknown account, NotAllowed for more than the
    caller may give and for the caller himself, InvalidInput for a role that does not exist there, Conflict when the place
    is taken, when a school appoints somebody else's teacher, and when an auditor would hold something else.
    """
    role, account_id = arguments["role"], arguments["account_id"]
    target = queries.get_target(db, arguments["place"])
    call.authorise(place=target.place, missing="org.place_unknown", field="place")
    rules.require_role_at_level(role, target.level)
    rules.require_other_holder(call.actor.account_id, account_id)
    as_school = require_right(db, call, role, target)
    rules.require_known(code_queries.find_appointee(db, account_id), rules.age_of(account_id, time.time()))
    if as_school:
        rules.require_own_teacher(verified_here=queries.is_verified_at(db, account_id, target.place))
    valid_from = arguments["valid_from"] or call.now
    rules.require_period(valid_from, arguments["valid_to"], call.now)
    present = lock_holders(db, call, role, target)
    if any(grant.account_id == account_id for grant in present):
        raise Conflict("org.grant_exists")
    replaced = present if arguments["replace"] else []
    for grant in replaced:
        rules.require_other_holder(call.actor.account_id, grant.account_id)
    rules.require_room(role, len(present) - len(replaced), max_school_admins(db, target))
    require_separation(db, role, account_id)
    return Appointment(role, account_id, target, valid_from, arguments["valid_to"], replaced)


def appoint(db: Session, call: Call, checked: Appointment, granted_by: str) -> AdminGrant:
    """Give what was checked, in the place of those who are replaced."""
    replace(db, call, checked.replaced)
    new = NewGrant(checked.role, checked.account_id, checked.target, checked.valid_from, checked.valid_to, granted_by)
    return add(db, call, new)


def revoke_grant(db: Session, call: Call, grant_id: uuid.UUID, reason: str) -> AdminGrant:
    """End a grant now. Raises NotFound outside the territory, NotAllowed without the right to give it, Conflict if ended."""
    grant = queries.lock_grant(db, grant_id)
    call.authorise(place=grant.place, missing="org.grant_unknown")
    rules.require_other_holder(call.actor.account_id, grant.account_id)
    require_right(db, call, Role(grant.role), queries.get_target(db, grant.place))
    if grant.state != GrantState.ACTIVE:
        raise Conflict("org.grant_ended")
    end_grant(db, call, grant, reason)
    return grant


def end_grant(db: Session, call: Call, grant: AdminGrant, reason: str) -> None:
    """End a grant that was decided about, announce its holder, record it."""
    _end(db, [grant], GrantState.REVOKED, call.actor.key, call.now)
    announce_holder(db, queries.lock_holder(db, grant.account_id), call.now)
    _record(db, call, grant, before=GrantState.ACTIVE, reason=reason)


def end_grants_at(db: Session, call: Call, place: str, reason: str) -> int:
    """End every grant at exactly this place, because its unit was merged or closed; returns how many."""
    grants = queries.list_grants_at(db, place)
    _end(db, grants, GrantState.REVOKED, call.actor.key, call.now)
    _announce_holders(db, grants, call.now)
    for grant in grants:
        _record(db, call, grant, before=GrantState.ACTIVE, reason=reason)
    return len(grants)


def move_grants(db: Session, call: Call, before: str, after: str) -> int:
    """Let the grants of a unit follow it to its new place, ended ones too; returns how many are active.

    The holders' announcement takes the rights from the old place and gives them at the new one in the same moment.
    """
    active = queries.list_grants_at(db, before)
    queries.move_grants(db, before, after)
    for grant in active:
        db.refresh(grant)
    _announce_holders(db, active, call.now)
    return len(active)


def apply_due_grants(db: Session, now: dt.datetime) -> int:
    """End the grants whose time is over, announce those whose time has come; returns how many accounts changed."""
    due = queries.lock_due_grants(db, now, BATCH)
    _end_expired(db, due, now)
    holders = sorted({grant.account_id for grant in due})
    for account_id in holders:
        announce_holder(db, queries.lock_holder(db, account_id), now)
    return len(holders)


def _announce_holders(db: Session, grants: Iterable[AdminGrant], now: dt.datetime) -> None:
    """Tell each holder's grants anew, in one order, so that two acts cannot wait for each other."""
    db.flush()
    for account_id in sorted({grant.account_id for grant in grants}):
        announce_holder(db, queries.lock_holder(db, account_id), now)


def held_by(db: Session, actor: Actor, now: dt.datetime) -> list[Held]:
    """What the caller really holds now: named in the access token and still live here, for a token is minutes old."""
    assert actor.account_id is not None
    claimed = {(grant.role, grant.place) for grant in actor.grants}
    return [held for held in live_grants(db, actor.account_id, now) if (held.role, held.place) in claimed]


def live_grants(db: Session, account_id: uuid.UUID, now: dt.datetime) -> list[Held]:
    """What an account holds at this moment, whatever any token says."""
    held = []
    for grant in queries.list_active_grants(db, account_id):
        target = queries.find_target(db, grant.place)
        if is_live(grant, now) and target is not None:
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


@dataclasses.dataclass(frozen=True)
class Appointment:
    """A grant that may be given now, and the grants that end for it."""

    role: Role
    account_id: uuid.UUID
    target: Target
    valid_from: dt.datetime
    valid_to: dt.datetime | None
    replaced: Sequence[AdminGrant]


@dataclasses.dataclass(frozen=True)
class NewGrant:
    role: Role
    account_id: uuid.UUID
    target: Target
    valid_from: dt.datetime
    valid_to: dt.datetime | None
    granted_by: str  # the key of who gave it: of a code, its issuer


def add(db: Session, call: Call, new: NewGrant) -> AdminGrant:
    """Write a grant that was decided, announce its holder, record it. Raises Conflict("org.auditor_alone")."""
    holder = queries.lock_holder(db, new.account_id)
    require_separation(db, new.role, new.account_id)
    grant = AdminGrant(
        grant_id=new_id(),
        account_id=new.account_id,
        role=new.role,
        place=new.target.place,
        state=GrantState.ACTIVE,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        announced=False,
        granted_by=new.granted_by,
        granted_at=call.now,
    )
    db.add(grant)
    refresh_seat(db, grant.place, new.role, call.now)
    announce_holder(db, holder, call.now)
    _record(db, call, grant, before=None)
    return grant


def require_separation(db: Session, role: Role, account_id: uuid.UUID) -> None:
    held = queries.list_active_grants(db, account_id)
    rules.require_separation(role, (Role(grant.role) for grant in held))


def lock_holders(db: Session, call: Call, role: Role, target: Target) -> list[AdminGrant]:
    """Who holds the role at the place now; until the commit nobody else is appointed there.

    Raises Conflict("org.unit_ended") for a school that was merged or closed.
    """
    if target.level is Level.SCHOOL:
        rules.require_standing(standing=queries.lock_standing_school(db, target.place))
    _end_expired(db, queries.list_holders_at(db, role, target.place), call.now)
    return list(queries.list_holders_at(db, role, target.place))


def replace(db: Session, call: Call, grants: Iterable[AdminGrant]) -> None:
    """End these holders' grants for a successor: a change of principal is one act, without a gap."""
    for grant in grants:
        rules.require_other_holder(call.actor.account_id, grant.account_id)
        end_grant(db, call, grant, "replaced")


def max_school_admins(db: Session, target: Target) -> int:
    """How many admins the tenant lets a school have (`domain.md` §4.7 C8)."""
    return tenant_policy(db, target.place).max_school_admins if target.level is Level.SCHOOL else 1


def require_right(db: Session, call: Call, role: Role, target: Target) -> bool:
    """Refuse more than the caller may give; returns whether the right is the school's own."""
    held, maximum = held_by(db, call.actor, call.now), max_school_admins(db, target)
    rules.require_delegation(held, role, target, maximum)
    return rules.gives_as_school(held, role, target, maximum)


def _end_expired(db: Session, grants: Iterable[AdminGrant], now: dt.datetime) -> None:
    expired = [grant for grant in grants if grant.valid_to is not None and grant.valid_to <= now]
    _end(db, expired, GrantState.EXPIRED, "", now)


def _end(db: Session, grants: Sequence[AdminGrant], state: GrantState, by: str, now: dt.datetime) -> None:
    """End grants, and with each the code that gave it and the codes that only its holder could still give."""
    if not grants:
        return
    for grant in grants:
        grant.state, grant.ended_by, grant.ended_at, grant.announced = state, by, now, False
    code_states.revoke_used(db, [grant.grant_id for grant in grants], by, now)
    seats = {(grant.place, grant.role) for grant in grants}
    for grant in grants:
        seats |= _void_codes_of(db, grant, by, now)
    for place, role in sorted(seats):
        refresh_seat(db, place, role, now)


def _void_codes_of(db: Session, ended: AdminGrant, by: str, now: dt.datetime) -> set[tuple[str, str]]:
    """A code must not outlive the right to issue it: an ex-administrator's would be a back door."""
    codes = code_queries.lock_codes_issued_by(db, ended.account_id, ended.place)
    if not codes:
        return set()
    held = live_grants(db, ended.account_id, now)
    lost = [code for code in codes if not may_give(db, held, Role(code.role), queries.get_target(db, code.place))]
    code_states.void(db, lost, Ending.ISSUER_ENDED, by, now)
    return {(code.place, code.role) for code in lost}


def may_give(db: Session, held: Sequence[Held], role: Role, target: Target) -> bool:
    """Whether these grants let somebody give the role there."""
    try:
        rules.require_delegation(held, role, target, max_school_admins(db, target))
    except NotAllowed:
        return False
    return True


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
