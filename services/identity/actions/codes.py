"""SMS codes: issued within limits, handed over after the commit, spent once."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access.rules.sign_ins import masked_address
from services.identity.models import AttemptWindow, DevelopmentMessage, SmsCode
from services.identity.rules import sign_in as rules
from services.identity.rules.contact import masked_email, masked_phone
from services.identity.vault import Vault
from services.shared import clock
from services.shared.bus import Call
from services.shared.channels import Channel
from services.shared.errors import LimitReached
from services.shared.ids import new_id

TEXT = "【研修】验证码 {code}，5 分钟内有效。请勿告诉他人。"


@dataclasses.dataclass(frozen=True)
class Message:
    """One message that still has to reach the provider: to a phone, or to an e-mail address."""

    id: uuid.UUID
    to: str
    text: str
    channel: Channel = Channel.SMS


def request_sms_code(db: Session, call: Call, vault: Vault, phone: str, purpose: str) -> dict[str, Any]:
    """Issue a code for a phone, whether or not it has an account; returns the message's id.

    Raises LimitReached: "identity.sms_too_soon", "identity.sms_limit".
    """
    phones, addresses = vault.phone_candidates(phone), vault.address_candidates(call.actor.address)
    queries.lock_words(db, f"sms phone {phones[-1]}", f"sms address {addresses[-1]}")
    history = queries.send_history(db, phones, addresses, masked_address(call.actor.address), call.now)
    if problem := rules.send_problem(history, call.now):
        raise LimitReached(problem, "phone", f"retry_after_seconds={rules.retry_after_seconds(problem)}")
    code_id, code = new_id(), rules.code_text(secrets.randbelow(1_000_000))
    db.add(
        SmsCode(
            id=code_id,
            phone_index=phones[0],
            phone_sealed=vault.seal("sms_code", code_id, "phone", phone),
            address_index=addresses[0],
            purpose=purpose,
            code_index=vault.code_index(code_id, code),
            code_sealed=vault.seal("sms_code", code_id, "code", code),
            issued_at=call.now,
            expires_at=call.now + rules.CODE_LIFETIME,
        )
    )
    return {"message_id": str(code_id)}


def find_unsent(db: Session, vault: Vault, message_id: uuid.UUID) -> Message | None:
    """The message while no provider has taken it: a repeated request sends it again, with the same code."""
    found = db.get(SmsCode, message_id)
    if found is None or found.code_sealed is None:
        return None
    phone = vault.open("sms_code", found.id, "phone", found.phone_sealed)
    code = vault.open("sms_code", found.id, "code", found.code_sealed)
    return Message(found.id, phone, TEXT.format(code=code))


def mark_sent(db: Session, message_id: uuid.UUID) -> None:
    """Forget the code itself; from now on only its keyed hash is known."""
    db.execute(sa.update(SmsCode).where(SmsCode.id == message_id).values(code_sealed=None))


def spend_code(db: Session, vault: Vault, phone: str, purpose: str, code: str, now: Any) -> bool:
    """Whether `code` is the living code of the phone; then it is used up. A wrong one counts as a try."""
    found = queries.lock_newest_code(db, vault.phone_candidates(phone), purpose)
    if found is None or not rules.is_code_alive(found.attempts, found.used_at is not None, found.expires_at, now):
        return False
    found.attempts += 1
    if rules.CODE.fullmatch(code) and vault.is_code(found.id, code, found.code_index):
        found.used_at = now
    db.flush()
    return found.used_at is not None


def keep_development_message(db: Session, vault: Vault, message: Message, now: Any) -> None:
    """Put a message into the development mailbox; a repeated one is there already."""
    index = vault.phone_index if message.channel is Channel.SMS else vault.email_index
    values = {
        "id": message.id,
        "channel": message.channel,
        "to_index": index(message.to),
        "to_sealed": vault.seal("development_message", message.id, "to", message.to),
        "text_sealed": vault.seal("development_message", message.id, "text", message.text),
        "sent_at": now,
    }
    db.execute(insert(DevelopmentMessage).values(values).on_conflict_do_nothing())


def show_development_message(vault: Vault, message: DevelopmentMessage) -> dict[str, Any]:
    """A message of the mailbox, its code picked out, its phone or address masked."""
    text = vault.open("development_message", message.id, "text", message.text_sealed)
    to = vault.open("development_message", message.id, "to", message.to_sealed)
    return {
        "phone": masked_phone(to) if message.channel == Channel.SMS else "",
        "email": masked_email(to) if message.channel == Channel.EMAIL else "",
        "text": text,
        "code": rules.code_in(text),
        "sent_at": clock.format_instant(message.sent_at),
    }


def count_attempt(db: Session, kind: str, subject: str, starts_at: Any, attempts: int = 1) -> int:
    """Count so many more refusals in this window of time; returns how many there are. Safe under parallel calls."""
    statement = insert(AttemptWindow).values(kind=kind, subject=subject, starts_at=starts_at, attempts=attempts)
    return db.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject", "starts_at"], set_={"attempts": AttemptWindow.attempts + attempts}
        ).returning(AttemptWindow.attempts)
    ).scalar_one()
