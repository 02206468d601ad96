"""Authority codes 权限码: generating, handing out, activating, revoking and expiring them (`domain.md` §3.8)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import uuid

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import grants
from services.org.actions.grants import NewGrant
from services.org.contract.delegation import Channel, CodeState, Ending
from services.org.delegation import queries
from services.org.delegation.actions import code_states
from services.org.delegation.actions.seats import refresh_seat
from services.org.delegation.models import AuthorityCode
from services.org.delegation.rules import codes as rules
from services.org.delegation.rules.codes import ALPHABET, RANDOM_SYMBOLS, Act
from services.org.models import AdminGrant
from services.org.rules import delegation
from services.org.rules.delegation import Target
from services.shared import audit
from services.shared.actor import Role
from services.shared.bus import Call
from services.shared.crypto import BlindIndex
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

INDEX_KIND = "authority_code"
MISSING = "org.code_unknown"
BATCH = 500  # codes ended in one run of the sweeper


@dataclasses.dataclass(frozen=True)
class Generated:
    """A new code, and its text, which is told once and kept nowhere."""

    code: AuthorityCode
    text: str


def generate_code(
    db: Session, call: Call, index: BlindIndex, role: Role, place: str, *, regenerate: bool = False
) -> Generated:
    """A code by which somebody becomes `role` at `place`; `regenerate` voids the one that waits there.

    A code of a province is only proposed: it opens nothing before a second person has approved it.

    Raises NotFound outside the caller's territory, NotAllowed for what the caller may not give, InvalidInput for a role
    that does not exist there or is not given by code, Conflict for an ended unit and while another code waits.
    """
    target = _authorised_target(db, call, place)
    rules.require_code_role(role)
    delegation.require_role_at_level(role, target.level)
    grants.require_right(db, call, role, target)
    # The seat's lock lets one code be made at a time.
    seat = queries.lock_seat(db, target.place, role)
    delegation.require_standing(standing=seat is not None and seat.standing)
    waiting = queries.lock_waiting_codes(db, [target.place], role)
    if not regenerate and not all(_is_repetition(call, code) for code in waiting):
        raise Conflict("org.code_waiting")
    code_states.void(db, waiting, Ending.REGENERATED, call.actor.key, call.now)
    text = rules.compose([secrets.randbelow(len(ALPHABET)) for _ in range(RANDOM_SYMBOLS)])
    code = _issue(db, call, index.index(text, INDEX_KIND), role, target)
    refresh_seat(db, target.place, role, call.now)
    _record(db, call, code, before=None)
    return Generated(code, text)


def approve_code(db: Session, call: Call, code_id: uuid.UUID) -> AuthorityCode:
    """The second person's word on a code of a province: from now on it can be activated.

    Raises NotFound outside the territory, NotAllowed for who issued it and without the right to give the role, Conflict
    unless it waits for this.
    """
    _authorised_code(db, call, queries.find_code_by_id(db, code_id))
    code = _lock_with_seat(db, code_id)
    state = rules.next_state(CodeState(code.state), Act.APPROVE)
    delegation.require_second_person(code.issued_by, call.actor.account_id)
    if call.now >= code.expires_at:
        raise Conflict("org.code_not_waiting")
    code.state, code.approved_by, code.approved_at = state, call.actor.account_id, call.now
    code.expires_at = call.now + rules.LIFETIME
    code.version += 1
    refresh_seat(db, code.place, code.role, call.now)
    code_states.announce(db, [code])
    _record(db, call, code, before=CodeState.PROPOSED)
    return code


def record_delivery(db: Session, call: Call, code_id: uuid.UUID, channel: Channel) -> AuthorityCode:
    """Note how a code was handed out. Raises NotFound outside the territory, Conflict unless it still waits."""
    code = _authorised_code(db, call, queries.lock_code(db, code_id))
    code.state = rules.next_state(CodeState(code.state), Act.DELIVER)
    code.channel, code.delivered_at = channel, call.now
    code.version += 1
    code_states.announce(db, [code])
    _record(db, call, code, before=CodeState.ISSUED)
    return code


def activate_code(db: Session, call: Call, index: BlindIndex, text: str, *, confirmed: bool) -> AdminGrant:
    """The caller takes the role that the code gives; where its place is full, only when `confirmed`, and in place of others.

    Of several present holders those in the way go, the longest-serving first. Raises InvalidInput("org.code_refused") for
    every code that gives nothing, NotAllowed for one's own, Conflict without a true name, for a role that is held already,
    for an auditor, and for a full place.
    """
    found = queries.find_code(db, index.candidates(text, INDEX_KIND))
    target = org_queries.find_target(db, found.place) if found else None
    if found is None or target is None:
        raise rules.refused()
    _require_usable(found, call.now)
    role = Role(found.role)
    present = grants.lock_holders(db, call, role, target)
    queries.lock_seat(db, target.place, role)
    code = queries.lock_code(db, found.code_id)
    if code is None or code.place != target.place:
        raise Conflict("shared.conflict")  # the school moved between our look and our lock
    state = _require_usable(code, call.now)
    account_id = call.authorise_own()
    rules.require_other_issuer(code.issued_by, code.approved_by, account_id)
    delegation.require_true_name(queries.find_appointee(db, account_id))
    if any(grant.account_id == account_id for grant in present):
        raise Conflict("org.grant_exists")
    in_the_way = delegation.too_many(role, len(present), grants.max_school_admins(db, target))
    if in_the_way and not confirmed:
        raise Conflict("org.code_seat_taken")
    grants.replace(db, call, sorted(present, key=lambda grant: grant.granted_at)[:in_the_way])
    # Before the grant, so that the seat is not counted twice on its way.
    grant = grants.add(db, call, NewGrant(role, account_id, target, call.now, None, str(code.issued_by)))
    code.state, code.activated_by, code.activated_at, code.grant_id = state, account_id, call.now, grant.grant_id
    code.version += 1
    refresh_seat(db, target.place, role, call.now)
    code_states.announce(db, [code])
    _record(db, call, code, before=CodeState.ISSUED)
    return grant


def revoke_code(db: Session, call: Call, code_id: uuid.UUID, reason: str) -> AuthorityCode:
    """Void a code that waits, or end the grant that it gave.

    Raises NotFound outside the territory, NotAllowed without the right to give the role, Conflict when it ended already.
    """
    code = _authorised_code(db, call, queries.find_code_by_id(db, code_id))
    if code.state == CodeState.ACTIVATED and code.grant_id is not None:
        grants.revoke_grant(db, call, code.grant_id, reason)
        db.refresh(code)
        return code
    locked = _lock_with_seat(db, code_id)
    before = CodeState(locked.state)
    rules.next_state(before, Act.REVOKE)
    code_states.void(db, [locked], Ending.REVOKED, call.actor.key, call.now)
    refresh_seat(db, locked.place, locked.role, call.now)
    _record(db, call, locked, before=before, reason=reason)
    return locked


def expire_codes(db: Session, now: dt.datetime) -> int:
    """Void the codes whose time is over; returns how many."""
    ended = 0
    for due in queries.list_due_codes(db, now, BATCH):
        # The seat first, as everywhere: what is being activated at this moment is left to its command.
        queries.lock_seat(db, due.place, due.role)
        code = queries.lock_code(db, due.code_id)
        if code is not None and code.state in rules.WAITING:
            code_states.void(db, [code], Ending.EXPIRED, "", now)
            refresh_seat(db, code.place, code.role, now)
            ended += 1
    return ended


def _authorised_target(db: Session, call: Call, place: str) -> Target:
    target = org_queries.get_target(db, place)
    call.authorise(place=target.place, missing="org.place_unknown", field="place")
    return target


def _authorised_code(db: Session, call: Call, code: AuthorityCode | None) -> AuthorityCode:
    """A code of the caller's territory whose role the caller may give."""
    if code is None:
        raise NotFound(MISSING)
    call.authorise(place=code.place, missing=MISSING)
    grants.require_right(db, call, Role(code.role), org_queries.get_target(db, code.place))
    return code


def _lock_with_seat(db: Session, code_id: uuid.UUID) -> AuthorityCode:
    """A code that is there, once nobody else changes it. The seat first, as everywhere."""
    seen = queries.find_code_by_id(db, code_id)
    assert seen is not None  # codes are never deleted
    queries.lock_seat(db, seen.place, seen.role)
    code = queries.lock_code(db, code_id)
    assert code is not None
    return code


def _is_repetition(call: Call, code: AuthorityCode) -> bool:
    """Whether this very command made the code: its answer was lost, and with it the only copy of the text."""
    return code.issued_by == call.actor.account_id and code.issued_with == call.command_id


def _require_usable(code: AuthorityCode, now: dt.datetime) -> CodeState:
    state = rules.next_state(CodeState(code.state), Act.ACTIVATE)
    rules.require_fresh(code.expires_at, now)
    return state


def _issue(db: Session, call: Call, code_index: str, role: Role, target: Target) -> AuthorityCode:
    assert call.actor.account_id is not None  # the policy admits persons only
    proposed = delegation.needs_second_person(target.level)
    code = AuthorityCode(
        code_id=new_id(),
        code_index=code_index,
        role=role,
        place=target.place,
        state=rules.next_state(None, Act.PROPOSE if proposed else Act.GENERATE),
        version=1,
        issued_by=call.actor.account_id,
        issued_with=call.command_id or "",
        issued_at=call.now,
        expires_at=call.now + (rules.APPROVAL_WITHIN if proposed else rules.LIFETIME),
        channel="",
        end_reason="",
    )
    db.add(code)
    code_states.announce(db, [code])
    return code


def _record(db: Session, call: Call, code: AuthorityCode, *, before: CodeState | None, reason: str = "") -> None:
    audit.record(
        db,
        call,
        subject=code.activated_by,
        place=code.place,
        reason=reason,
        before={"state": str(before)} if before else {},
        after={"code_id": str(code.code_id), "role": str(code.role), "state": str(code.state)},
    )
