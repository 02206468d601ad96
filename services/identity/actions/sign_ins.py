"""The life of a sign-in: opened, refreshed, ended."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access import queries as access_queries
from services.identity.access.rules import sign_ins as labels
from services.identity.access.rules.sign_ins import Method
from services.identity.actions.accounts import SignInTimes, Standing, revoke_access, shown_account, standing_by
from services.identity.actions.refusals import refused
from services.identity.models import Account, RefreshToken, SignIn
from services.identity.rules import sign_in as rules
from services.identity.vault import Vault, new_refresh_token, token_hash
from services.shared import audit
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.errors import NotAllowed
from services.shared.ids import new_id


@dataclasses.dataclass(frozen=True)
class Client:
    """What the person signs in with, told so that they recognise it in their list."""

    device: str = ""
    address: str = ""

    @classmethod
    def of(cls, call: Call, user_agent: str) -> Client:
        return cls(labels.device_label(user_agent), labels.masked_address(call.actor.address))


UNKNOWN_CLIENT = Client()


@dataclasses.dataclass(frozen=True)
class Opened:
    """A sign-in that has just been opened or renewed."""

    standing: Standing
    session_id: uuid.UUID
    refresh_token: str
    account: dict[str, Any]  # as its owner sees it


def open_first_sign_in(
    db: Session, call: Call, vault: Vault, account_id: uuid.UUID, client: Client = UNKNOWN_CLIENT
) -> dict[str, Any]:
    """The sign-in that follows a registration; a repeated registration command gets it too, for a short while."""
    account = queries.find_account(db, account_id)
    if account is None or abs(call.now - account.registered_at) > rules.FIRST_TOKENS_WITHIN:
        return refused(NotAllowed("identity.sign_in_again"))
    opened = open_sign_in(db, call, vault, account_id, by_code=True, method=Method.REGISTRATION, client=client)
    return {"opened": opened}


def open_sign_in(
    db: Session,
    call: Call,
    vault: Vault,
    account_id: uuid.UUID,
    *,
    by_code: bool,
    method: Method | None = None,
    client: Client = UNKNOWN_CLIENT,
    desk: Desk = Desk.TEACHER,
) -> Opened:
    """A new sign-in of the account with its first refresh token. `by_code`: the phone has just been proved.

    Raises NotAllowed for an account that is closed: merged into another, or erased.
    """
    account = db.get_one(Account, account_id)
    if account.state != "ACTIVE":
        raise NotAllowed("identity.sign_in_refused", "", "account closed")
    administers = desk is Desk.ADMINISTRATOR
    session_id, refresh_token = new_id(), new_refresh_token()
    desk_opened_at = call.now if administers else None
    db.flush()
    facts = access_queries.add_sign_in(
        db,
        {
            "id": session_id,
            "account_id": account_id,
            "by_code": by_code,
            "method": method or (Method.SMS_CODE if by_code else Method.PASSWORD),
            "device": client.device,
            "address": client.address,
            "now": call.now,
            "desk": desk,
            "desk_opened_at": desk_opened_at,
        },
        token_hash(refresh_token),
        rules.refresh_expiry(call.now, call.now),
    )
    if administers:
        _record_desk_taken(db, call, account_id)
    held = SignInTimes(desk, desk_opened_at)
    standing = standing_by(db, account, held, facts, call.now)
    return Opened(standing, session_id, refresh_token, shown_account(vault, account, facts.grants))


def take_desk(db: Session, call: Call, sign_in: SignIn) -> None:
    """Put a sign-in at the administrator's desk. Whoever calls has proved both factors."""
    sign_in.desk, sign_in.desk_opened_at = Desk.ADMINISTRATOR, call.now
    _record_desk_taken(db, call, sign_in.account_id)


def _record_desk_taken(db: Session, call: Call, account_id: uuid.UUID) -> None:
    audit.record(db, call, subject=account_id, before={"desk": Desk.TEACHER}, after={"desk": Desk.ADMINISTRATOR})


def refresh_session(db: Session, call: Call, vault: Vault, token: str) -> dict[str, Any]:
    """Exchange a refresh token for the next one; the desk stays.

    A token used twice has two owners, so its sign-in ends; only the very same command repeated is a lost answer. Every
    refusal is "identity.sign_in_again".
    """
    locked = queries.lock_refresh_token(db, token_hash(token))
    if locked is None:
        return refused(NotAllowed("identity.sign_in_again"))
    found, sign_in = locked
    account = db.get_one(Account, sign_in.account_id)
    if sign_in.ended_at is not None or call.now >= found.expires_at or account.state != "ACTIVE":
        return refused(NotAllowed("identity.sign_in_again"))
    if found.used_at is not None and not _take_back_successor(db, call, found):
        end_sign_in(db, sign_in, "REUSED", call.now)
        return refused(NotAllowed("identity.sign_in_again"))
    found.used_at, found.used_by = call.now, call.command_id
    sign_in.last_used_at = call.now
    next_token = _add_refresh_token(db, sign_in, call.now, replaces=found.token_hash)
    facts = access_queries.read_facts(db, account.id)
    standing = standing_by(db, account, SignInTimes.of(sign_in), facts, call.now)
    return {"opened": Opened(standing, sign_in.id, next_token, shown_account(vault, account, facts.grants))}


def sign_out(db: Session, call: Call) -> dict[str, Any]:
    """End the caller's own sign-in; its tokens are void. Doing it twice changes nothing."""
    sign_in = db.get(SignIn, call.actor.session_id, with_for_update=True) if call.actor.session_id else None
    if sign_in is not None and sign_in.ended_at is None:
        end_sign_in(db, sign_in, "SIGNED_OUT", call.now)
    return {}


def end_sign_in(db: Session, sign_in: SignIn, reason: str, now: dt.datetime) -> None:
    sign_in.ended_at, sign_in.end_reason = now, reason
    db.flush()
    revoke_access(db, sign_in.account_id, now, sign_in.id)


def end_sign_ins(
    db: Session, account_id: uuid.UUID, reason: str, now: dt.datetime, *, spared: uuid.UUID | None = None
) -> int:
    """End the living sign-ins of an account, but the spared one; returns how many."""
    living = queries.lock_other_sign_ins(db, account_id, spared)
    for sign_in in living:
        end_sign_in(db, sign_in, reason, now)
    return len(living)


def _take_back_successor(db: Session, call: Call, used: RefreshToken) -> bool:
    """Whether this is the command that used the token, repeated; then the successor that got lost is removed."""
    if call.command_id is None or used.used_by != call.command_id:
        return False
    successor = db.scalars(sa.select(RefreshToken).where(RefreshToken.replaces == used.token_hash)).one_or_none()
    if successor is None or successor.used_at is not None:
        return False
    db.delete(successor)
    db.flush()
    return True


def _add_refresh_token(db: Session, sign_in: SignIn, now: dt.datetime, replaces: str | None = None) -> str:
    token = new_refresh_token()
    db.add(
        RefreshToken(
            token_hash=token_hash(token),
            sign_in_id=sign_in.id,
            account_id=sign_in.account_id,
            replaces=replaces,
            issued_at=now,
            expires_at=rules.refresh_expiry(sign_in.started_at, now),
        )
    )
    return token
