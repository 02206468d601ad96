"""Passwords that an administrator gives out once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

# Read out over the telephone: no 0 and O, no 1, I and L.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
DIGITS = "23456789"
GROUPS, GROUP_LENGTH = 3, 4  # 12 of 31 characters: 59 bits, guessed five times in a quarter of an hour
# Ours: it is handed over in person on the same day, or asked for again.
ONE_TIME_LASTS = dt.timedelta(hours=24)


def one_time_password(choose: Callable[[str], str]) -> str:
    """`XXXX-XXXX-XXXX` with letters and digits in it; `choose` picks one character of a text at random."""
    while True:
        drawn = "".join(choose(LETTERS + DIGITS) for _ in range(GROUPS * GROUP_LENGTH))
        if any(each in DIGITS for each in drawn) and any(each in LETTERS for each in drawn):
            return "-".join(drawn[at : at + GROUP_LENGTH] for at in range(0, len(drawn), GROUP_LENGTH))


def is_one_time_over(until: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether this is a one-time password whose day has passed. `until`: None for a password of the person's own."""
    return until is not None and now >= until


def may_prove_by_phone(has_password: bool, has_grants: bool) -> bool:
    """Whether a code from the phone is enough for a new password.

    An administrator's two factors would be one if the phone alone could replace the password; the first one is set by
    phone, as there is nothing yet to replace.
    """
    return not (has_password and has_grants)
