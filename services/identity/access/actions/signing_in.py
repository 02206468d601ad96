"""Opening a sign-in by password or code, moving it to another desk, stepping up."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access import queries as access_queries
from services.identity.access.actions import guarding
from services.identity.access.actions.guarding import Target
from services.identity.access.actions.proving import PasswordTry, prove_password, prove_phone
from services.identity.access.rules import desks
from services.identity.actions.accounts import revoke_desk
from services.identity.actions.codes import spend_code
from services.identity.actions.refusals import refused
from services.identity.actions.sign_ins import Client, open_sign_in, take_desk
from services.identity.models import Account, SignIn
from services.identity.rules import sign_in as rules
from services.identity.vault import Vault
from services.shared import audit
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.clock import format_instant
from services.shared.errors import Conflict, InvalidInput, NotAllowed, ServiceError

STEP_UP = "STEP_UP"  # purpose of the codes for it


@dataclasses.dataclass(frozen=True)
class NewPassword:
    """What replaces a one-time password at once."""

    text: str
    password_hash: str
    is_the_old_one: bool


@dataclasses.dataclass(frozen=True)
class Fresh:
    """What the account's password becomes once the present one was right: a hash of newer figures, or another password."""

    renewed_hash: str | None = None
    chosen: NewPassword | None = None


def sign_in_by_password(
    db: Session, call: Call, vault: Vault, tried: PasswordTry, fresh: Fresh, client: Client
) -> dict[str, Any]:
    """Open a sign-in when all was right and the account is not locked; else count the failure.

    An unknown login, a wrong password, a wrong second factor and a locked account do the same work and get the same
    refusal. After the right password: "identity.password_must_change" for a one-time one, and what keeps the
    administrator's desk closed.
    """
    account = prove_password(db, call, vault, tried, NotAllowed("identity.sign_in_refused"))
    if isinstance(account, ServiceError):
        return refused(account)
    if tried.desk is Desk.ADMINISTRATOR and (problem := _desk_problem(db, vault, account.id)):
        return refused(NotAllowed(problem))
    if account.one_time_until is not None:
        if refusal := _replace_one_time_password(vault, account, fresh.chosen):
            return refused(refusal)
    elif fresh.renewed_hash is not None:
        account.password_hash = fresh.renewed_hash
    return {"opened": open_sign_in(db, call, vault, account.id, by_code=False, client=client, desk=tried.desk)}


def sign_in_by_code(db: Session, call: Call, vault: Vault, phone: str, code: str, client: Client) -> dict[str, Any]:
    """Open a sign-in by SMS code; that also unlocks (`domain.md` §3.9). Refused as `prove_phone` says."""
    account = prove_phone(db, call, vault, phone, "SIGN_IN", code)
    if isinstance(account, ServiceError):
        return refused(account)
    unlock(db, vault, account)
    return {"opened": open_sign_in(db, call, vault, account.id, by_code=True, client=client)}


def unlock(db: Session, vault: Vault, account: Account) -> None:
    """Open a locked account, counter 0, and let its password be tried again at once."""
    db.execute(sa.update(Account).where(Account.id == account.id).values(failed_count=0, locked_at=None))
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    others = (account.learner_no,) if account.learner_no else ()
    guarding.forget_guesses(db, vault, Target(phone, account.id), *others)


def open_desk(db: Session, call: Call, vault: Vault, tried: PasswordTry) -> dict[str, Any]:
    """Open the administrator's desk in the caller's own sign-in, with all that signing in there would ask.

    Refused: "identity.desk_refused" (the failure counts), "identity.password_missing", "identity.no_desk",
    "identity.name_missing", "identity.sign_in_again" for a sign-in that has ended.
    """
    sign_in = _lock_own_sign_in(db, call)
    if sign_in is None:
        return refused(NotAllowed("identity.sign_in_again"))
    if tried.credentials.password_hash is None:
        return refused(Conflict("identity.password_missing"))
    account = prove_password(db, call, vault, tried, NotAllowed("identity.desk_refused"))
    if isinstance(account, ServiceError):
        return refused(account)
    if problem := _desk_problem(db, vault, account.id):
        return refused(NotAllowed(problem))
    take_desk(db, call, sign_in)
    return {"desk": Desk.ADMINISTRATOR}


def close_desk(db: Session, call: Call) -> dict[str, Any]:
    """Go back to the teacher's desk: the tokens that tell grants are void. Doing it twice changes nothing."""
    sign_in = _lock_own_sign_in(db, call)
    if sign_in is None:
        return refused(NotAllowed("identity.sign_in_again"))
    if sign_in.desk == Desk.ADMINISTRATOR:
        sign_in.desk, sign_in.desk_opened_at, sign_in.elevated_until = Desk.TEACHER, None, None
        revoke_desk(db, sign_in, call.now)
    return {"desk": Desk.TEACHER}


def elevate(db: Session, call: Call, vault: Vault, code: str) -> dict[str, Any]:
    """Step up for half an hour by a code from the own phone (`domain.md` §3.11), in this sign-in only.

    Refused: "identity.sms_code_refused" (the try counts), "identity.sign_in_again".
    """
    sign_in = _lock_own_sign_in(db, call)
    account = queries.find_account(db, sign_in.account_id) if sign_in else None
    if sign_in is None or account is None or account.phone_sealed is None:
        return refused(NotAllowed("identity.sign_in_again"))
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    if not spend_code(db, vault, phone, STEP_UP, code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    sign_in.elevated_until = desks.elevated_until(call.now)
    until = format_instant(sign_in.elevated_until)
    audit.record(db, call, subject=account.id, after={"elevated_until": until})
    return {"elevated_until": until}


def _replace_one_time_password(vault: Vault, account: Account, new: NewPassword | None) -> ServiceError | None:
    """Put the person's own password in its place; the refusal of one that may not be chosen."""
    if new is None:
        return Conflict("identity.password_must_change", "new_password")
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    problem = "identity.password_same" if new.is_the_old_one else rules.password_problem(new.text, phone)
    if problem:
        return InvalidInput(problem, "new_password")
    account.password_hash, account.one_time_until = new.password_hash, None
    return None


def _desk_problem(db: Session, vault: Vault, account_id: uuid.UUID) -> str:
    profile = queries.find_profile(db, account_id)
    name = vault.open("profile", account_id, "name", profile.name_sealed) if profile else ""
    return desks.desk_problem(queries.find_grants(db, account_id), name)


def _lock_own_sign_in(db: Session, call: Call) -> SignIn | None:
    return access_queries.lock_living_sign_in(db, call.actor.session_id, call.actor.account_id)
