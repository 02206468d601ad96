"""Play tokens (learning signs, the gateway checks) and receipts (the gateway signs). Keys are passed in.

A play token lets its holder report on one study session for ten minutes. A receipt says when the gateway accepted
which report, so that a later re-send keeps its time.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

from services.shared import clock
from services.shared.errors import InvalidInput, NotAllowed

# architecture.md decision 10
PLAY_TOKEN_LIFETIME = dt.timedelta(minutes=10)

_ENCODER = json.JSONEncoder(separators=(",", ":"))

Sign = Callable[[bytes], bytes]
IsSigned = Callable[[bytes, bytes], bool]  # (signature, body)


@dataclasses.dataclass(frozen=True)
class PlayToken:
    study_session_id: uuid.UUID
    teacher_id: uuid.UUID
    activity_id: uuid.UUID
    duration_seconds: int
    fence: int
    shard: int
    expires_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Receipt:
    study_session_id: uuid.UUID
    seq: int
    digest: str
    received_at: dt.datetime


def mint_play_token(token: PlayToken, sign: Sign) -> str:
    body = _encode_json(
        {
            "ses": str(token.study_session_id),
            "sub": str(token.teacher_id),
            "act": str(token.activity_id),
            "dur": token.duration_seconds,
            "fen": token.fence,
            "shd": token.shard,
            "exp": clock.format_instant(token.expires_at),
        }
    )
    return f"{to_text(body)}.{to_text(sign(body))}"


def read_play_token(text: str, is_signed: IsSigned) -> PlayToken:
    """What the token says, whether or not it has expired. Raises NotAllowed("learning.play_token_invalid")."""
    try:
        claims = _read_signed(text, is_signed)
        return PlayToken(
            uuid.UUID(claims["ses"]),
            uuid.UUID(claims["sub"]),
            uuid.UUID(claims["act"]),
            int(claims["dur"]),
            int(claims["fen"]),
            int(claims["shd"]),
            clock.parse_instant(claims["exp"]),
        )
    except (ValueError, KeyError, TypeError):
        raise NotAllowed("learning.play_token_invalid", "play_token") from None


def mint_receipt(receipt: Receipt, sign: Sign) -> str:
    body = _encode_json(
        {
            "ses": str(receipt.study_session_id),
            "seq": receipt.seq,
            "dig": receipt.digest,
            "rec": clock.format_instant(receipt.received_at),
        }
    )
    return f"{to_text(body)}.{to_text(sign(body))}"


def read_receipt(text: str, is_signed: IsSigned) -> Receipt:
    """What the gateway once signed. Raises InvalidInput("learning.receipt_invalid")."""
    try:
        claims = _read_signed(text, is_signed)
        return Receipt(
            uuid.UUID(claims["ses"]), int(claims["seq"]), str(claims["dig"]), clock.parse_instant(claims["rec"])
        )
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("learning.receipt_invalid", "receipt") from None


def _read_signed(text: str, is_signed: IsSigned) -> Any:
    body_text, signature = text.split(".")
    body = to_bytes(body_text)
    if not is_signed(to_bytes(signature), body):
        raise ValueError("signature")
    return json.loads(body)


def _encode_json(claims: dict[str, Any]) -> bytes:
    return _ENCODER.encode(claims).encode()


def to_text(data: bytes) -> str:
    """A part of a token: base64url without its padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def to_bytes(text: str) -> bytes:
    """The inverse of `to_text`. Raises ValueError for anything that it would not have written."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # base64 ignores stray bits and characters: two texts for one token would defeat caches and logs.
    if to_text(data) != text:
        raise ValueError("not canonical")
    return data
