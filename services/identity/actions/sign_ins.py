"""Signing in, staying signed in, signing out, and the lock."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.actions.accounts import Standing, revoke_access, standing_of
from services.identity.actions.codes import count_attempt, spend_code
from services.identity.actions.refusals import refused
from services.identity.models import Account, RefreshToken, SignIn
from services.identity.rules import sign_in as rules
from services.identity.vault import Vault, new_refresh_token, token_hash
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id

ADDRESS_FAILURES = "sign_in_address"


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is needed to judge a password outside the transaction. An unknown phone has an id nobody has."""

    account_id: uuid.UUID
    password_hash: str | None


@dataclasses.dataclass(frozen=True)
class PasswordProof:
    """What the caller shows to set a new password: a code, the old password as already judged, or nothing."""

    credentials: Credentials
    phone: str
    sms_code: str | None
    matches: bool | None


@dataclasses.dataclass(frozen=True)
class Opened:
    """A sign-in that has just been opened or renewed."""

    standing: Standing
    session_id: uuid.UUID
    refresh_token: str


def read_credentials(db: Session, call: Call, vault: Vault, phone: str) -> Credentials:
    """Raises LimitReached("identity.sign_in_limit") when this address has been refused too often within the minute."""
    attempts = queries.count_attempts(
        db, ADDRESS_FAILURES, vault.address_candidates(call.actor.address), _minute(call.now)
    )
    if attempts >= rules.ADDRESS_FAILURES_PER_MINUTE:
        raise LimitReached("identity.sign_in_limit", "", "retry_after_seconds=60")
    account = queries.find_account_by_phone(db, vault.phone_candidates(phone))
    return Credentials(account.id, account.password_hash) if account else Credentials(new_id(), None)


def read_own_credentials(db: Session, call: Call, vault: Vault) -> tuple[Credentials, str]:
    """The caller's own credentials and phone. Raises NotFound for an account that is gone."""
    account = queries.find_account(db, call.actor.account_id) if call.actor.account_id else None
    if account is None:
        raise NotFound("identity.person_unknown")
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    return Credentials(account.id, account.password_hash), phone


def sign_in_by_password(
    db: Session, call: Call, vault: Vault, credentials: Credentials, matches: bool, fresher_hash: str | None
) -> dict[str, Any]:
    """Open a sign-in when the password matched and the account is not locked; else count the failure.

    An unknown phone, a wrong password and a locked account do the same work and get the same refusal. `fresher_hash`
    replaces one made with older figures.
    """
    if matches and _reset_failures(db, credentials):
        if fresher_hash is not None:
            db.execute(
                sa.update(Account).where(Account.id == credentials.account_id).values(password_hash=fresher_hash)
            )
        return {"opened": open_sign_in(db, call, credentials.account_id, by_code=False)}
    _count_failure(db, call, credentials.account_id, wrong=not matches)
    count_attempt(db, ADDRESS_FAILURES, vault.address_index(call.actor.address), _minute(call.now))
    return refused(NotAllowed("identity.sign_in_refused"))


def sign_in_by_code(db: Session, call: Call, vault: Vault, phone: str, code: str) -> dict[str, Any]:
    """Open a sign-in by SMS code; that also unlocks (`domain.md` §3.9).

    Refused: "identity.sms_code_refused" (the try counts), "identity.account_unknown" for a phone without an account.
    """
    if not spend_code(db, vault, phone, "SIGN_IN", code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    account = queries.find_account_by_phone(db, vault.phone_candidates(phone))
    if account is None:
        return refused(NotFound("identity.account_unknown", "phone"))
    db.execute(sa.update(Account).where(Account.id == account.id).values(failed_count=0, locked_at=None))
    return {"opened": open_sign_in(db, call, account.id, by_code=True)}


def open_first_sign_in(db: Session, call: Call, account_id: uuid.UUID) -> dict[str, Any]:
    """The sign-in that follows a registration; a repeated registration command gets it too, for a short while."""
    account = queries.find_account(db, account_id)
    if account is None or abs(call.now - account.registered_at) > rules.FIRST_TOKENS_WITHIN:
        return refused(NotAllowed("identity.sign_in_again"))
    return {"opened": open_sign_in(db, call, account_id, by_code=True)}


def open_sign_in(db: Session, call: Call, account_id: uuid.UUID, *, by_code: bool) -> Opened:
    """A new sign-in of the account with its first refresh token. `by_code`: the phone has just been proved."""
    account = db.get_one(Account, account_id)
    sign_in = SignIn(id=new_id(), account_id=account_id, by_code=by_code, started_at=call.now)
    db.add(sign_in)
    db.flush()
    return Opened(standing_of(db, account), sign_in.id, _add_refresh_token(db, sign_in, call.now))


def refresh_session(db: Session, call: Call, token: str) -> dict[str, Any]:
    """Exchange a refresh token for the next one.

    A token used twice has two owners, so its sign-in ends; only the very same command repeated is a lost answer. Every
    refusal is "identity.sign_in_again".
    """
    locked = queries.lock_refresh_token(db, token_hash(token))
    if locked is None:
        return refused(NotAllowed("identity.sign_in_again"))
    found, sign_in = locked
    if sign_in.ended_at is not None or call.now >= found.expires_at:
        return refused(NotAllowed("identity.sign_in_again"))
    if found.used_at is not None and not _take_back_successor(db, call, found):
        end_sign_in(db, sign_in, "REUSED", call.now)
        return refused(NotAllowed("identity.sign_in_again"))
    found.used_at, found.used_by = call.now, call.command_id
    next_token = _add_refresh_token(db, sign_in, call.now, replaces=found.token_hash)
    return {"opened": Opened(standing_of(db, db.get_one(Account, sign_in.account_id)), sign_in.id, next_token)}


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


def unlock_account(db: Session, call: Call, account_id: uuid.UUID) -> dict[str, Any]:
    """Open a locked account of the caller's territory again, counter 0.

    Raises NotFound for a stranger's, Conflict("identity.not_locked"), NotAllowed for one's own.
    """
    if account_id == call.actor.account_id:
        raise NotAllowed("shared.not_allowed", "", "nobody unlocks themselves")
    placement = queries.find_placement(db, account_id)
    call.authorise(place=placement.place if placement else "", missing="identity.person_unknown")
    account = queries.lock_account(db, account_id)
    if account is None:
        raise NotFound("identity.person_unknown")
    if account.locked_at is None:
        raise Conflict("identity.not_locked")
    account.locked_at, account.failed_count = None, 0
    db.flush()
    audit.record(
        db,
        call,
        subject=account_id,
        place=placement.place if placement else "",
        before={"locked": True},
        after={"locked": False},
    )
    return {"account_id": str(account_id), "locked": False}


def set_password(db: Session, call: Call, vault: Vault, proof: PasswordProof, password_hash: str) -> dict[str, Any]:
    """Store the caller's new password and end all their other sign-ins; also the way out of a forgotten one.

    A stolen access token is not enough: the old password, a code, or a sign-in by code a few minutes ago is asked for.
    Refused and counted as in signing in: "identity.sms_code_refused", "identity.password_wrong"; and
    "identity.proof_missing".
    """
    if refusal := _unproved(db, call, vault, proof):
        return refused(refusal)
    account_id = proof.credentials.account_id
    changed = {"password_hash": password_hash, "failed_count": 0, "locked_at": None}
    db.execute(sa.update(Account).where(Account.id == account_id).values(changed))
    for other in queries.lock_other_sign_ins(db, account_id, call.actor.session_id):
        end_sign_in(db, other, "PASSWORD_CHANGED", call.now)
    return {"account_id": str(account_id)}


def _unproved(db: Session, call: Call, vault: Vault, proof: PasswordProof) -> ServiceError | None:
    if proof.sms_code is not None:
        if spend_code(db, vault, proof.phone, "SIGN_IN", proof.sms_code, call.now):
            return None
        return InvalidInput("identity.sms_code_refused", "sms_code")
    if proof.matches is not None:
        if proof.matches and _reset_failures(db, proof.credentials):
            return None
        _count_failure(db, call, proof.credentials.account_id, wrong=not proof.matches)
        return InvalidInput("identity.password_wrong", "current_password")
    sign_in = db.get(SignIn, call.actor.session_id) if call.actor.session_id else None
    own = sign_in is not None and sign_in.account_id == call.actor.account_id
    if sign_in is not None and own and rules.proves_phone(sign_in.by_code, sign_in.started_at, call.now):
        return None
    return InvalidInput("identity.proof_missing", "sms_code")


def _reset_failures(db: Session, credentials: Credentials) -> bool:
    """Set the counter to 0; False when the account is locked, or its password changed while we were hashing."""
    row = db.execute(
        sa.update(Account)
        .where(
            Account.id == credentials.account_id,
            Account.locked_at.is_(None),
            Account.password_hash == credentials.password_hash,
        )
        .values(failed_count=0)
        .returning(Account.id)
    )
    return row.one_or_none() is not None


def _count_failure(db: Session, call: Call, account_id: uuid.UUID, *, wrong: bool) -> None:
    """Count a wrong password, in SQL: the row lock makes parallel ones wait, so none is lost and the 10th locks."""
    row = db.execute(
        sa.update(Account)
        # A locked account counts no further, and a right password on it is no wrong one.
        .where(Account.id == account_id, Account.locked_at.is_(None), sa.literal(wrong))
        .values(failed_count=Account.failed_count + 1)
        .returning(Account.failed_count)
    ).one_or_none()
    if row is not None and rules.is_locking_failure(row.failed_count):
        db.execute(sa.update(Account).where(Account.id == account_id).values(locked_at=call.now))
        revoke_access(db, account_id, call.now)


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


def _minute(now: dt.datetime) -> dt.datetime:
    return now.replace(second=0, microsecond=0)
