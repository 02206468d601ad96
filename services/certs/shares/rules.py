"""Pure rules of shares; standard library only. The figures are ours."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

from services.shared.errors import LimitReached

TOKEN_BYTES: Final = 32
LONGEST: Final = dt.timedelta(days=90)  # a promotion round; longer ones take a new link
MOST_LIVE: Final = 20  # of one certificate


def is_live(expires_at: dt.datetime, revoked_at: dt.datetime | None, now: dt.datetime) -> bool:
    return revoked_at is None and now < expires_at


def require_room(live: int) -> None:
    """Raises LimitReached("certs.too_many_shares")."""
    if live >= MOST_LIVE:
        raise LimitReached("certs.too_many_shares")


def hash_token(token: str) -> bytes:
    # 256 random bits: nobody guesses one, so a fast hash protects the stored side.
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
