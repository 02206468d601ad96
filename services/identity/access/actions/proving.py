"""Judging what somebody shows to prove who they are: a password, a second factor, a code from the phone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access import queries as access_queries
from services.identity.access.actions import guarding
from services.identity.access.actions.guarding import Target
from services.identity.access.captcha import Solved
from services.identity.access.rules.guesses import is_account_spent
from services.identity.access.rules.logins import Login, LoginKind
from services.identity.access.rules.passwords import is_one_time_over
from services.identity.actions.accounts import revoke_access
from services.identity.actions.codes import spend_code
from services.identity.models import Account
from services.identity.rules import sign_in as rules
from services.identity.vault import Vault
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound, ServiceError
from services.shared.ids import new_id


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is needed to judge a password outside the transaction. An unknown login has an id nobody has."""

    account_id: uuid.UUID
    password_hash: str | None


@dataclasses.dataclass(frozen=True)
class PasswordTry:
    """A password that was typed, as judged by its hash, and what else was shown with it."""

    target: Target
    credentials: Credentials
    matches: bool
    desk: Desk = Desk.TEACHER
    sms_code: str = ""  # the second factor of the administrator's desk
    captcha: Solved | None = None
    is_changing: bool = False  # a new password comes with it, so a one-time one may pass


def read_credentials(
    db: Session, call: Call, vault: Vault, login: Login, desk: Desk, captcha: Solved | None
) -> Credentials:
    """The hash to judge a password by.

    Raises what keeps it from being looked at, before the costly hashing: LimitReached("identity.sign_in_limit"),
    InvalidInput("identity.captcha_needed").
    """
    if login.kind is LoginKind.PHONE:
        account_id, password_hash, guesses = guarding.read_phone_and_guesses(db, call, vault, login.text)
        credentials = Credentials(account_id or new_id(), password_hash)
        target = Target(login.text, credentials.account_id)
    else:
        account = access_queries.find_account_by_login(db, vault, login)
        credentials = Credentials(account.id, account.password_hash) if account else Credentials(new_id(), None)
        target = Target(login.text, credentials.account_id)
        guesses = guarding.read_guesses(db, call, vault, target)
    if refusal := guarding.refusal_before_hashing(guesses, target, desk, captcha):
        raise refusal
    return credentials


def read_own_credentials(db: Session, call: Call, vault: Vault) -> tuple[Credentials, str]:
    """The caller's own credentials and phone. Raises NotFound for an account that is gone."""
    account = queries.find_account(db, call.actor.account_id) if call.actor.account_id else None
    if account is None:
        raise NotFound("identity.person_unknown")
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    return Credentials(account.id, account.password_hash), phone


def prove_password(
    db: Session, call: Call, vault: Vault, tried: PasswordTry, wrong: ServiceError
) -> Account | ServiceError:
    """The account, locked for the transaction, when password and second factor are right and it is open.

    Else the refusal, with the failure counted: `wrong` for whatever was wrong, whether or not there is such an account.
    One guess at a time, so that parallel ones cannot outrun the count.
    """
    guarding.lock_target(db, tried.target)
    guesses = guarding.read_guesses(db, call, vault, tried.target)
    if refusal := guarding.refusal_before_judging(db, call, guesses, tried.target, tried.desk, tried.captcha):
        return refusal
    account = queries.lock_account(db, tried.credentials.account_id)
    is_spent = is_account_spent(guesses)
    if account is not None and not is_spent and _opens(account, tried, call.now):
        if account.one_time_until is not None and not tried.is_changing:
            # Before the second factor, which would be used up for nothing.
            return Conflict("identity.password_must_change", "new_password")
        if tried.desk is Desk.TEACHER or _spend_second_factor(db, vault, account, tried.sms_code, call.now):
            if account.failed_count:
                account.failed_count = 0
            if guesses.typed or guesses.account:
                guarding.forget_guesses(db, vault, tried.target)
            return account
    # A guess that is not judged any more tells nothing, so it must not lock either.
    is_wrong = not is_spent and (not tried.matches or tried.desk is Desk.ADMINISTRATOR)
    _count_failure(db, call, tried.credentials.account_id, wrong=is_wrong)
    guarding.count_guess(db, call, vault, tried.target)
    return wrong


def prove_phone(db: Session, call: Call, vault: Vault, phone: str, purpose: str, code: str) -> Account | ServiceError:
    """The account of a phone whose code was typed right, or the refusal; wrong codes count against the address.

    Refused: "identity.sms_code_refused" (the try counts), "identity.account_unknown" for a phone without an account,
    "identity.sign_in_limit" for an address that has guessed too often.
    """
    if refusal := guarding.refusal_of_address(db, call, vault):
        return refusal
    if not spend_code(db, vault, phone, purpose, code, call.now):
        guarding.count_address(db, call, vault)
        return InvalidInput("identity.sms_code_refused", "sms_code")
    account = queries.find_account_by_phone(db, vault.phone_candidates(phone))
    return account or NotFound("identity.account_unknown", "phone")


def _opens(account: Account, tried: PasswordTry, now: dt.datetime) -> bool:
    is_unchanged = account.password_hash == tried.credentials.password_hash  # since it was hashed against
    is_open = account.locked_at is None and not is_one_time_over(account.one_time_until, now)
    return tried.matches and is_unchanged and is_open


def _spend_second_factor(db: Session, vault: Vault, account: Account, code: str, now: dt.datetime) -> bool:
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    return bool(phone) and spend_code(db, vault, phone, "SIGN_IN", code, now)


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
