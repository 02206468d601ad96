"""How often somebody may guess, and when a captcha is asked first."""

from __future__ import annotations

import dataclasses
import datetime as dt

from services.shared.actor import Desk

# reliability.md S8: at most 5 wrong guesses per account in 15 minutes, 30 per address in a minute. The same figure holds
# for whatever was typed as phone or number, so that the refusal tells nothing of whether it has an account.
WINDOW = dt.timedelta(minutes=15)
PER_WINDOW = 5
ADDRESS_PER_MINUTE = 30
# Guesses are counted by the minute; one minute more keeps the figure from being exceeded at the window's edge.
COUNTED = WINDOW + dt.timedelta(minutes=1)

CAPTCHA_AFTER = 3
# A school's staff room shares one address: a few colleagues who mistype are no attack, twenty failures may be one.
ADDRESS_CAPTCHA_AFTER = 20
# Codes to sign in or recover: a stranger who asks for them uses up what the phone may get in a day.
CODES_WITHOUT_CAPTCHA = 2


@dataclasses.dataclass(frozen=True)
class Guesses:
    """Wrong guesses so far: for what was typed, for the account it leads to, and from the address."""

    typed: int = 0
    account: int = 0
    address_minute: int = 0
    address: int = 0


def is_limit_reached(guesses: Guesses) -> bool:
    """Whether no further guess is judged for what was typed, or from this address."""
    return guesses.typed >= PER_WINDOW or guesses.address_minute >= ADDRESS_PER_MINUTE


def is_account_spent(guesses: Guesses) -> bool:
    """Whether the account has had its wrong guesses, by whatever number it was named; a further one is not judged."""
    return guesses.account >= PER_WINDOW


def needs_captcha(guesses: Guesses, desk: Desk, signed_in: bool) -> bool:
    """Whether a password is looked at only with a solved captcha.

    `signed_in`: the account's own person changes the password; the limits alone guard that.
    """
    if desk is Desk.ADMINISTRATOR:
        return True
    return not signed_in and (guesses.typed >= CAPTCHA_AFTER or guesses.address >= ADDRESS_CAPTCHA_AFTER)


def code_needs_captcha(purpose: str, unused_codes: int) -> bool:
    """Whether an SMS code is sent only for a solved captcha. `unused_codes` went to the phone within the last day."""
    return purpose == "REGISTER" or unused_codes >= CODES_WITHOUT_CAPTCHA


def minute_of(now: dt.datetime) -> dt.datetime:
    return now.replace(second=0, microsecond=0)
