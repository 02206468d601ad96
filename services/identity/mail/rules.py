"""Pure rules of confirming an e-mail address; standard library only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from services.identity.rules.sign_in import RESEND_INTERVAL

# Ours: mail arrives later than a text message, and is read on another device.
CODE_LIFETIME = dt.timedelta(minutes=30)
# Ours, of one account and of one address: enough for typing errors, too few to fill a stranger's mailbox.
CODES_PER_DAY = 5
DAY = dt.timedelta(days=1)


def send_problem(sent_at: Sequence[dt.datetime], now: dt.datetime) -> str:
    """The error code that refuses another code, or ""; `sent_at` are those of the last day."""
    # abs: two hosts' clocks differ a little, and a simulated one may be set back.
    if any(abs(now - at) < RESEND_INTERVAL for at in sent_at):
        return "identity.email_too_soon"
    return "identity.email_limit" if len(sent_at) >= CODES_PER_DAY else ""


def retry_after_seconds(problem: str) -> int:
    """How long to wait after `send_problem` refused."""
    return int((RESEND_INTERVAL if problem == "identity.email_too_soon" else DAY).total_seconds())
