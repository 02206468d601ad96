"""Before a secret is judged: limits, captchas, and counting what was wrong."""

from __future__ import annotations

import dataclasses
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.identity import queries as shared_queries
from services.identity.access import queries
from services.identity.access.captcha import Solved
from services.identity.access.models import SpentCaptcha
from services.identity.access.rules import guesses as rules
from services.identity.access.rules.guesses import Guesses
from services.identity.actions.codes import count_attempt
from services.identity.vault import Vault
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.errors import InvalidInput, LimitReached, ServiceError


@dataclasses.dataclass(frozen=True)
class Target:
    """Whom a guess is about: what was typed, and the account it leads to. A stranger's login has an id nobody has."""

    typed: str
    account_id: uuid.UUID
    signed_in: bool = False

    @classmethod
    def own(cls, account_id: uuid.UUID) -> Target:
        """For somebody signed in who proves again to be themselves."""
        return cls(f"account {account_id}", account_id, signed_in=True)


# For codes, which count tries of their own: only the address matters.
NOBODY = Target("", uuid.UUID(int=0), signed_in=True)


def lock_target(db: Session, target: Target) -> None:
    """Let guesses at one target be judged one after the other, on whatever host: none slips past the count."""
    shared_queries.lock_words(db, f"guess {target.typed}", f"guess {target.account_id}")


def read_guesses(db: Session, call: Call, vault: Vault, target: Target) -> Guesses:
    return queries.count_guesses(
        db,
        vault.login_candidates(target.typed),
        target.account_id,
        vault.address_candidates(call.actor.address),
        call.now,
    )


def read_phone_and_guesses(
    db: Session, call: Call, vault: Vault, phone: str
) -> tuple[uuid.UUID | None, str | None, Guesses]:
    """The account of a phone, its hash, and the guesses at both."""
    return queries.find_phone_and_guesses(
        db,
        vault.phone_candidates(phone),
        vault.login_candidates(phone),
        vault.address_candidates(call.actor.address),
        call.now,
    )


def refusal_before_hashing(guesses: Guesses, target: Target, desk: Desk, captcha: Solved | None) -> ServiceError | None:
    """Why a password is not even looked at. A captcha is only spent by `refusal_before_judging`."""
    if rules.is_limit_reached(guesses):
        by_address = guesses.typed < rules.PER_WINDOW
        wait = 60 if by_address else int(rules.WINDOW.total_seconds())
        return LimitReached("identity.sign_in_limit", "", f"retry_after_seconds={wait}")
    if captcha is None and rules.needs_captcha(guesses, desk, target.signed_in):
        return InvalidInput("identity.captcha_needed", "captcha")
    return None


def refusal_before_judging(
    db: Session, call: Call, guesses: Guesses, target: Target, desk: Desk, captcha: Solved | None
) -> ServiceError | None:
    """As `refusal_before_hashing`, and the captcha is used up where one was needed. Under `lock_target`."""
    if refusal := refusal_before_hashing(guesses, target, desk, captcha):
        return refusal
    asked = rules.needs_captcha(guesses, desk, target.signed_in)
    if captcha is not None and asked and not spend_captcha(db, call, captcha):
        return InvalidInput("identity.captcha_refused", "captcha")
    return None


def refusal_of_address(db: Session, call: Call, vault: Vault) -> ServiceError | None:
    """Why codes from this address are not judged now."""
    guesses = read_guesses(db, call, vault, NOBODY)
    return refusal_before_hashing(guesses, NOBODY, Desk.TEACHER, None)


def count_guess(db: Session, call: Call, vault: Vault, target: Target) -> None:
    minute = rules.minute_of(call.now)
    count_attempt(db, queries.TYPED, vault.login_index(target.typed), minute)
    count_attempt(db, queries.ACCOUNT, str(target.account_id), minute)
    count_address(db, call, vault)


def count_address(db: Session, call: Call, vault: Vault) -> None:
    count_attempt(db, queries.ADDRESS, vault.address_index(call.actor.address), rules.minute_of(call.now))


def forget_guesses(db: Session, vault: Vault, target: Target, *others: str) -> None:
    typed = [candidate for text in (target.typed, *others) for candidate in vault.login_candidates(text)]
    queries.forget_guesses(db, typed, target.account_id)


def spend_captcha(db: Session, call: Call, captcha: Solved) -> bool:
    """Use a captcha up; False when it was used before. The same command repeated may: its answer was lost."""
    spent_by = f"{call.actor.key} {call.command_id}"
    values = {"nonce": captcha.nonce, "spent_by": spent_by, "expires_at": captcha.expires_at}
    written = db.execute(insert(SpentCaptcha).values(values).on_conflict_do_nothing().returning(SpentCaptcha.nonce))
    if written.one_or_none() is not None:
        return True
    return db.scalar(sa.select(SpentCaptcha.spent_by).where(SpentCaptcha.nonce == captcha.nonce)) == spent_by


def require_captcha_for_code(
    db: Session, call: Call, vault: Vault, phone: str, purpose: str, captcha: Solved | None
) -> None:
    """Raises InvalidInput: "identity.captcha_needed", "identity.captcha_refused". Equal for known and unknown phones."""
    unused = queries.count_unused_codes(db, vault.phone_candidates(phone), call.now)
    if not rules.code_needs_captcha(purpose, unused):
        return
    if captcha is None:
        raise InvalidInput("identity.captcha_needed", "captcha")
    if not spend_captcha(db, call, captcha):
        raise InvalidInput("identity.captcha_refused", "captcha")
