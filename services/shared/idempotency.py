"""One effect per (actor, command id): the row that remembers a command's reply, in the command's own transaction."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.shared.errors import Conflict, InvalidInput
from services.shared.tables import idempotency

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.shared.bus.calls import Call
    from services.shared.keys import KeyRing


class LostRace(Exception):
    """The same command committed between our look and our insert: roll back and look again."""


@dataclasses.dataclass(frozen=True)
class StoredReply:
    reply: Any


def _request_hash(call: Call, keyring: KeyRing) -> bytes:
    # Keyed: bodies may hold passwords or ID numbers, and a plain hash of those can be guessed.
    body = json.dumps([call.service, call.method, call.arguments], sort_keys=True, default=str).encode()
    return hmac.new(keyring.secret("request-hash"), body, hashlib.sha256).digest()


def find_reply(db: Session, call: Call, keyring: KeyRing) -> StoredReply | None:
    """The reply of the first run of this command, or None when this is the first.

    Raises Conflict("shared.in_progress") while another transaction runs it, InvalidInput("shared.key_reused") when the
    same key came with another request.
    """
    row = db.execute(
        sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(f"{call.actor.key} {call.command_id}", 0)))
    ).scalar_one()
    if not row:
        raise Conflict("shared.in_progress")
    stored = db.execute(
        sa.select(idempotency.c.request_hash, idempotency.c.reply).where(
            idempotency.c.actor == call.actor.key, idempotency.c.key == call.command_id
        )
    ).one_or_none()
    if stored is None:
        return None
    if not hmac.compare_digest(stored.request_hash, _request_hash(call, keyring)):
        raise InvalidInput("shared.key_reused", "Idempotency-Key")
    return StoredReply(stored.reply)


def keep_reply(db: Session, call: Call, keyring: KeyRing, reply: Any) -> None:
    """Remember the reply, in the transaction of the effect. Raises LostRace when somebody else did."""
    written = db.execute(
        insert(idempotency)
        .values(
            actor=call.actor.key,
            key=call.command_id,
            method=call.method,
            request_hash=_request_hash(call, keyring),
            reply=reply,
        )
        .on_conflict_do_nothing()
        .returning(idempotency.c.key)
    )
    if written.first() is None:
        raise LostRace
