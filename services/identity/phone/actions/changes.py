"""Changing the phone while the old one still answers (`domain.md` §3.10, [S0:122-130])."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity.actions.codes import request_sms_code, spend_code
from services.identity.actions.refusals import refused
from services.identity.contract.phone import Cancellation, Way
from services.identity.models import Account
from services.identity.phone import queries
from services.identity.phone.actions import swaps
from services.identity.phone.actions.tickets import cancel_overtaken
from services.identity.phone.models import PhoneChange
from services.identity.phone.rules import changes as rules
from services.identity.phone.rules.changes import Act, State
from services.identity.vault import Vault
from services.shared import clock
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id


def start_change(db: Session, call: Call, vault: Vault) -> dict[str, Any]:
    """Send a code to the present phone; whatever the caller had begun before is over.

    Raises LimitReached as any request for a code does.
    """
    if earlier := queries.lock_unfinished_change(db, call.actor.account_id):
        _move(earlier, call, Act.REPLACE)
        db.flush()
    account = _own_account(db, call)
    change = PhoneChange(
        id=new_id(),
        account_id=account.id,
        sign_in_id=call.actor.session_id,
        state=State.OLD_SENT,
        started_at=call.now,
        expires_at=call.now + rules.LIFETIME,
    )
    db.add(change)
    sent = request_sms_code(db, call, vault, swaps.phone_of(vault, account), rules.OLD_PURPOSE)
    return {**_show(change), **sent}


def prove_old_phone(db: Session, call: Call, vault: Vault, change_id: uuid.UUID, code: str) -> dict[str, Any]:
    """The code from the old phone. Refused: "identity.sms_code_refused", and the try counts."""
    change, account = _own_change(db, call, change_id), _own_account(db, call)
    state = _next(change, call, Act.PROVE_OLD)
    if not spend_code(db, vault, swaps.phone_of(vault, account), rules.OLD_PURPOSE, code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    change.state = state
    return _show(change)


def name_new_phone(db: Session, call: Call, vault: Vault, change_id: uuid.UUID, new_phone: str) -> dict[str, Any]:
    """Send a code to the new phone, whether or not it is somebody's: that is told only to who reads the code.

    Raises InvalidInput("identity.phone_same").
    """
    change, account = _own_change(db, call, change_id), _own_account(db, call)
    state = _next(change, call, Act.NAME_NEW)
    if new_phone == swaps.phone_of(vault, account):
        raise InvalidInput("identity.phone_same", "new_phone")
    sent = request_sms_code(db, call, vault, new_phone, rules.NEW_PURPOSE)
    change.state = state
    change.new_phone_sealed = vault.seal("phone_change", change.id, "new_phone", new_phone)
    return {**_show(change), **sent}


def complete_change(db: Session, call: Call, vault: Vault, change_id: uuid.UUID, code: str) -> dict[str, Any]:
    """The code from the new phone: it is the account's now, and all other sign-ins have ended.

    Refused: "identity.sms_code_refused" (the try counts), "identity.phone_taken".
    """
    change = _own_change(db, call, change_id)
    state = _next(change, call, Act.PROVE_NEW)
    new_phone = vault.open("phone_change", change.id, "new_phone", change.new_phone_sealed)
    if not spend_code(db, vault, new_phone, rules.NEW_PURPOSE, code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    # Changes and tickets before accounts, as everywhere: two transactions never wait crosswise.
    ticket = queries.lock_ticket_of(db, call.actor.account_id)
    account = _own_account(db, call)
    if swaps.is_taken(db, vault, new_phone):
        return refused(Conflict("identity.phone_taken", "new_phone"))
    swaps.swap_phone(db, call, vault, account, new_phone, Way.OLD_PHONE, keep=call.actor.session_id)
    if ticket is not None:
        cancel_overtaken(db, call, vault, ticket, Cancellation.PHONE_CHANGED)
    change.state, change.finished_at, change.new_phone_sealed = state, call.now, None
    return _show(change)


def _own_account(db: Session, call: Call) -> Account:
    account = swaps.lock_active(db, call.actor.account_id)
    if account is None:
        raise NotFound("identity.person_unknown")
    return account


def _own_change(db: Session, call: Call, change_id: uuid.UUID) -> PhoneChange:
    return queries.lock_change(db, change_id, call.actor.account_id, call.actor.session_id)


def _next(change: PhoneChange, call: Call, act: Act) -> State:
    return rules.next_state(State(change.state), act, change.expires_at, call.now)


def _move(change: PhoneChange, call: Call, act: Act) -> None:
    change.state = _next(change, call, act)
    change.finished_at, change.new_phone_sealed = call.now, None


def _show(change: PhoneChange) -> dict[str, Any]:
    return {
        "change_id": str(change.id),
        "state": str(change.state),
        "expires_at": clock.format_instant(change.expires_at),
    }
