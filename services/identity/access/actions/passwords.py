"""Setting, recovering and resetting passwords; unlocking."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access.actions.guarding import Target
from services.identity.access.actions.proving import Credentials, PasswordTry, prove_password, prove_phone
from services.identity.access.actions.signing_in import unlock
from services.identity.access.rules.authority import may_manage_access
from services.identity.access.rules.passwords import ONE_TIME_LASTS, may_prove_by_phone
from services.identity.actions.codes import spend_code
from services.identity.actions.refusals import refused
from services.identity.actions.sign_ins import end_sign_ins
from services.identity.contract.notices import NoticeKind
from services.identity.models import Account, SignIn
from services.identity.notices import actions as notices
from services.identity.notices.actions import Addressee
from services.identity.rules import sign_in as rules
from services.identity.vault import Vault
from services.shared import audit
from services.shared.actor import Kind
from services.shared.bus import Call
from services.shared.clock import format_instant
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError

RECOVER = "RECOVER"  # purpose of the codes for a forgotten password


@dataclasses.dataclass(frozen=True)
class PasswordProof:
    """What the caller shows to set a new password: the old one as already judged, a code, or nothing."""

    credentials: Credentials
    phone: str
    sms_code: str | None
    matches: bool | None


def set_password(db: Session, call: Call, vault: Vault, proof: PasswordProof, password_hash: str) -> dict[str, Any]:
    """Store the caller's new password and end all their other sign-ins.

    A stolen access token is not enough: the old password, a code, or a sign-in by code a few minutes ago is asked for;
    an administrator who has a password needs that. Refused and counted as in signing in:
    "identity.sms_code_refused", "identity.password_wrong", "identity.proof_missing",
    "identity.password_by_administrator".
    """
    if refusal := _unproved(db, call, vault, proof):
        return refused(refusal)
    account_id = proof.credentials.account_id
    _store(db, account_id, password_hash)
    end_sign_ins(db, account_id, "PASSWORD_CHANGED", call.now, spared=call.actor.session_id)
    audit.record(db, call, subject=account_id)
    return {"account_id": str(account_id)}


def recover_password(
    db: Session, call: Call, vault: Vault, phone: str, code: str, password_hash: str
) -> dict[str, Any]:
    """A new password for who forgot the old one and has the phone: all sign-ins end, a lock is over.

    Refused as `prove_phone` says, and "identity.password_by_administrator".
    """
    account = prove_phone(db, call, vault, phone, RECOVER, code)
    if isinstance(account, ServiceError):
        return refused(account)
    if not _phone_suffices(db, account.id, account.password_hash):
        return refused(Conflict("identity.password_by_administrator", "phone"))
    unlock(db, vault, account)
    _store(db, account.id, password_hash)
    end_sign_ins(db, account.id, "PASSWORD_RECOVERED", call.now)
    audit.record(db, call, subject=account.id)
    return {"account_id": str(account.id)}


def unlock_account(db: Session, call: Call, vault: Vault, account_id: uuid.UUID) -> dict[str, Any]:
    """Open a locked account again, counter 0.

    Raises NotFound for a stranger's, Conflict("identity.not_locked"), NotAllowed for one's own.
    """
    account, place = _lock_in_reach(db, call, account_id)
    if account.locked_at is None:
        raise Conflict("identity.not_locked")
    unlock(db, vault, account)
    audit.record(db, call, subject=account_id, place=place, before={"locked": True}, after={"locked": False})
    return {"account_id": str(account_id), "locked": False}


def reset_password(db: Session, call: Call, vault: Vault, account_id: uuid.UUID, password_hash: str) -> dict[str, Any]:
    """Store a one-time password for somebody of the caller's territory; their sign-ins end, a lock is over,
    and they are told by SMS that it was done.

    Raises NotFound for a stranger's, NotAllowed for one's own.
    """
    account, place = _lock_in_reach(db, call, account_id)
    before = {"locked": account.locked_at is not None, "has_password": account.password_hash is not None}
    expires_at = call.now + ONE_TIME_LASTS
    unlock(db, vault, account)
    _store(db, account_id, password_hash, one_time_until=expires_at)
    ended = end_sign_ins(db, account_id, "PASSWORD_RESET", call.now)
    after = {"locked": False, "one_time_until": format_instant(expires_at), "sign_ins_ended": ended}
    audit.record(db, call, subject=account_id, place=place, before=before, after=after)
    cause = f"password reset {account_id} {call.command_id}"
    notices.tell(db, vault, NoticeKind.PASSWORD_RESET, cause, Addressee(account_id), call.now)
    return {"account_id": str(account_id), "expires_at": format_instant(expires_at)}


def _store(db: Session, account_id: uuid.UUID, password_hash: str, one_time_until: dt.datetime | None = None) -> None:
    changed = {"password_hash": password_hash, "one_time_until": one_time_until, "failed_count": 0, "locked_at": None}
    db.execute(sa.update(Account).where(Account.id == account_id).values(changed))


def _unproved(db: Session, call: Call, vault: Vault, proof: PasswordProof) -> ServiceError | None:
    credentials = proof.credentials
    if proof.matches is not None:
        wrong = InvalidInput("identity.password_wrong", "current_password")
        tried = PasswordTry(Target.own(credentials.account_id), credentials, proof.matches, is_changing=True)
        proved = prove_password(db, call, vault, tried, wrong)
        return proved if isinstance(proved, ServiceError) else None
    if not _phone_suffices(db, credentials.account_id, credentials.password_hash):
        return Conflict("identity.password_by_administrator", "current_password")
    if proof.sms_code is not None:
        if spend_code(db, vault, proof.phone, "SIGN_IN", proof.sms_code, call.now):
            return None
        return InvalidInput("identity.sms_code_refused", "sms_code")
    sign_in = db.get(SignIn, call.actor.session_id) if call.actor.session_id else None
    own = sign_in is not None and sign_in.account_id == call.actor.account_id
    if sign_in is not None and own and rules.proves_phone(sign_in.by_code, sign_in.started_at, call.now):
        return None
    return InvalidInput("identity.proof_missing", "sms_code")


def _phone_suffices(db: Session, account_id: uuid.UUID, password_hash: str | None) -> bool:
    return may_prove_by_phone(password_hash is not None, bool(queries.find_grants(db, account_id)))


def _lock_in_reach(db: Session, call: Call, account_id: uuid.UUID) -> tuple[Account, str]:
    """Somebody whose access the caller may restore, and the place that decides it: of their grants, or of their school.

    Raises NotAllowed for the caller's own, NotFound for everybody else's.
    """
    if account_id == call.actor.account_id:
        raise NotAllowed("shared.not_allowed", "", "nobody helps themselves")
    placement = queries.find_placement(db, account_id)
    own_place = placement.place if placement else ""
    granted = sorted(place for _, place in queries.find_grants(db, account_id))
    place = granted[0] if granted else own_place
    call.authorise(place=place, missing="identity.person_unknown")
    if call.actor.kind is Kind.PERSON and not may_manage_access(call.actor, own_place, granted):
        raise NotFound("identity.person_unknown")
    account = queries.lock_account(db, account_id)
    if account is None or account.state != "ACTIVE":
        raise NotFound("identity.person_unknown")
    return account, place
