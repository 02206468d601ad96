"""Passwords, locks, SMS codes and their limits."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

LOCK_THRESHOLD = 10  # domain.md §3.9, [S3:273]: the 10th wrong password in a row locks

# OWASP ASVS 5.0 v5.0.0-6.2.1 asks for 8 at least and v5.0.0-6.2.9 for 64 to be possible.
PASSWORD_LENGTH = (8, 64)
# Frequent choices that meet the other rules (compared without case).
COMMON_PASSWORDS = frozenset({
    "abc12345", "abc123456", "abcd1234", "a1234567", "a12345678", "a123456789", "aa123456", "aa112233", "admin123",
    "iloveyou1", "p@ssw0rd", "passw0rd", "password1", "password123", "q1w2e3r4", "qq123456", "qwe12345", "qwer1234",
    "qwerty123", "teacher123", "welcome1", "woaini520", "woaini1314", "xiaoxue123", "zxcvbn123", "1q2w3e4r", "1qaz2wsx",
    "123456abc", "123456qq", "12345678a", "123456789a",
})  # fmt: skip

CODE = re.compile(r"[0-9]{6}", re.ASCII)
# reliability.md S8: 6 digits, single use, 5 tries, 5 minutes.
CODE_ATTEMPTS = 5
CODE_LIFETIME = dt.timedelta(minutes=5)
RESEND_INTERVAL = dt.timedelta(seconds=60)
PHONE_PER_HOUR = 5
PHONE_PER_DAY = 10
# Of these the last ones are kept for networks from which the phone's owner has signed in: a stranger who asks again and
# again uses up a nuisance's worth, and does not bar the owner whose password he has locked as well.
PHONE_PER_DAY_ELSEWHERE = 7
# A whole school may sit behind one address, so this only stops floods: the gateway's own figure, counted here over all
# gateway processes.
ADDRESS_PER_HOUR = 600

# reliability.md S8: 30 guesses a minute from one address.
ADDRESS_FAILURES_PER_MINUTE = 30

# An unused sign-in ends. Ours: who signed in at the start of a winter season (2022-12-02 to 2023-02-28, `domain.md`
# §3.21) is still signed in at its end; a login burst costs tens of cores of argon2 (performance.md).
REFRESH_IDLE = dt.timedelta(days=90)
SIGN_IN_LIFETIME = dt.timedelta(days=180)  # and even a used one does: ours, one school term
# A client that lost the reply of its registration may repeat the command for its first tokens this long.
FIRST_TOKENS_WITHIN = dt.timedelta(minutes=10)
# After a sign-in by code the phone needs no second code to set a password; ours, two lifetimes of a code.
PHONE_PROVED_FOR = dt.timedelta(minutes=10)


@dataclasses.dataclass(frozen=True)
class SendHistory:
    """SMS codes already sent: to this phone, and from this address to anybody.

    `unused_sent_at` is of the last one that nobody has used: who has just used one may ask for the next at once.
    """

    unused_sent_at: dt.datetime | None
    phone_last_hour: int
    phone_last_day: int
    address_last_hour: int
    from_known_network: bool = False


def is_locking_failure(failed_count: int) -> bool:
    """Whether this many wrong passwords in a row lock the account."""
    return failed_count >= LOCK_THRESHOLD


def password_problem(password: str, phone: str) -> str:
    """The error code of a password that may not be chosen, or ""."""
    if not PASSWORD_LENGTH[0] <= len(password) <= PASSWORD_LENGTH[1]:
        return "identity.password_length"
    kinds = {_kind(character) for character in password}
    too_few = len(kinds) < 2 or len(set(password)) < 4
    if too_few or phone in password or password.casefold() in COMMON_PASSWORDS:
        return "identity.password_simple"
    return ""


def send_problem(history: SendHistory, now: dt.datetime) -> str:
    """The error code that refuses another SMS code, or ""."""
    # abs: two hosts' clocks differ a little, and a simulated one may be set back.
    if history.unused_sent_at is not None and abs(now - history.unused_sent_at) < RESEND_INTERVAL:
        return "identity.sms_too_soon"
    per_day = PHONE_PER_DAY if history.from_known_network else PHONE_PER_DAY_ELSEWHERE
    if history.phone_last_hour >= PHONE_PER_HOUR or history.phone_last_day >= per_day:
        return "identity.sms_limit"
    return "identity.sms_limit" if history.address_last_hour >= ADDRESS_PER_HOUR else ""


def retry_after_seconds(problem: str) -> int:
    """How long to wait after `send_problem` refused."""
    return 60 if problem == "identity.sms_too_soon" else 3600


def code_text(number: int) -> str:
    """A code of six digits from a random number below 1,000,000."""
    return f"{number:06d}"


def is_code_alive(attempts: int, used: bool, expires_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a sent code may still be tried; `attempts` were made before this one."""
    return not used and attempts < CODE_ATTEMPTS and now < expires_at


def code_in(text: str) -> str:
    """The code that a message tells, "" when it tells none."""
    found = CODE.search(text)
    return found.group() if found else ""


def proves_phone(by_code: bool, started_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a sign-in shows that the phone was in the person's hand just now."""
    return by_code and abs(now - started_at) < PHONE_PROVED_FOR


def refresh_expiry(started_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """Until when a refresh token given out now may be used."""
    return min(now + REFRESH_IDLE, started_at + SIGN_IN_LIFETIME)


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "letter" if character.isalpha() else "other"
