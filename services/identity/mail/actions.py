"""Sending a code to the own address, and confirming the address by it."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries as people
from services.identity.actions.codes import Message
from services.identity.actions.refusals import refused
from services.identity.mail import queries, rules
from services.identity.mail.models import EmailCode
from services.identity.models import Profile
from services.identity.rules import sign_in
from services.identity.vault import Vault
from services.shared import audit
from services.shared.bus import Call
from services.shared.channels import Channel
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotFound
from services.shared.ids import new_id

TEXT = "【研修】邮箱验证码 {code}，30 分钟内有效。如非本人操作，请忽略本邮件。\n[Yanxiu] Your code: {code}. Not you? Ignore this."


def request_email_code(db: Session, call: Call, vault: Vault) -> dict[str, Any]:
    """Issue a code for the address in the caller's profile; returns the message's id.

    Raises Conflict: "identity.email_missing", "identity.email_confirmed"; LimitReached: "identity.email_too_soon",
    "identity.email_limit".
    """
    profile = _own_profile(db, call)
    email = own_email(vault, profile)
    if not email:
        raise Conflict("identity.email_missing")
    if profile.email_confirmed_at is not None:
        raise Conflict("identity.email_confirmed")
    emails = vault.email_candidates(email)
    # Two requests at the same moment, of one account or to one address: the second counts the first.
    people.lock_words(db, f"email account {profile.account_id}", f"email {emails[-1]}")
    sent_at = queries.list_sent(db, profile.account_id, emails, call.now - rules.DAY)
    if problem := rules.send_problem(sent_at, call.now):
        raise LimitReached(problem, "", f"retry_after_seconds={rules.retry_after_seconds(problem)}")
    code_id, code = new_id(), sign_in.code_text(secrets.randbelow(1_000_000))
    db.add(
        EmailCode(
            id=code_id,
            account_id=profile.account_id,
            email_sealed=vault.seal("email_code", code_id, "email", email),
            email_index=emails[0],
            code_index=vault.code_index(code_id, code),
            code_sealed=vault.seal("email_code", code_id, "code", code),
            issued_at=call.now,
            expires_at=call.now + rules.CODE_LIFETIME,
        )
    )
    return {"message_id": str(code_id)}


def find_unsent(db: Session, vault: Vault, message_id: uuid.UUID) -> Message | None:
    """The message while no provider has taken it: a repeated request sends it again, with the same code."""
    found = db.get(EmailCode, message_id)
    if found is None or found.code_sealed is None:
        return None
    code = vault.open("email_code", found.id, "code", found.code_sealed)
    to = vault.open("email_code", found.id, "email", found.email_sealed)
    return Message(found.id, to, TEXT.format(code=code), Channel.EMAIL)


def mark_sent(db: Session, message_id: uuid.UUID) -> None:
    """Forget the code itself; from now on only its keyed hash is known."""
    if (found := db.get(EmailCode, message_id)) is not None:
        found.code_sealed = None
        db.flush()


def confirm_email(db: Session, call: Call, vault: Vault, code: str) -> dict[str, Any]:
    """The address in the profile is the caller's: proved by the newest code that was sent to it.

    Refused: "identity.email_code_refused", which counts.
    """
    profile = _own_profile(db, call)
    found = queries.lock_newest_code(db, profile.account_id)
    if found is None or not sign_in.is_code_alive(
        found.attempts, found.used_at is not None, found.expires_at, call.now
    ):
        return refused(InvalidInput("identity.email_code_refused", "code"))
    found.attempts += 1
    sent_to = vault.open("email_code", found.id, "email", found.email_sealed)
    if sent_to != own_email(vault, profile) or not vault.is_code(found.id, code, found.code_index):
        db.flush()
        return refused(InvalidInput("identity.email_code_refused", "code"))
    found.used_at = profile.email_confirmed_at = call.now
    db.flush()
    audit.record(db, call, subject=profile.account_id, after={"email": "CONFIRMED"})
    return {}


def own_email(vault: Vault, profile: Profile) -> str:
    return vault.open("profile", profile.account_id, "email", profile.email_sealed)


def _own_profile(db: Session, call: Call) -> Profile:
    """Under the account's lock, as whoever changes the address holds it. Raises NotFound for an account that is gone."""
    account = people.lock_account(db, call.authorise_own())
    profile = people.find_profile(db, account.id) if account else None
    if profile is None:
        raise NotFound("identity.person_unknown")
    return profile
