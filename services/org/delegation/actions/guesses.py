"""Counting refused codes, so that nobody tries many: per account, and per network address."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from services.org.delegation import queries
from services.org.delegation.rules import codes as rules
from services.shared.actor import Actor
from services.shared.crypto import BlindIndex
from services.shared.errors import LimitReached


def count_guess(db: Session, actor: Actor, index: BlindIndex, now: dt.datetime) -> None:
    """Count a try before it is judged, so that parallel ones cannot slip through together.

    Raises LimitReached("org.code_guesses").
    """
    for guesser, allowed in _guessers(actor, index):
        if queries.count_guess(db, guesser, rules.window_of(now)) > allowed:
            raise LimitReached("org.code_guesses", "", f"retry_after_seconds={rules.seconds_left(now)}")


def forgive_guess(db: Session, actor: Actor, index: BlindIndex, now: dt.datetime) -> None:
    """Take back a try whose code was right."""
    for guesser, _ in _guessers(actor, index):
        queries.forgive_guess(db, guesser, rules.window_of(now))


def forget_guesses(db: Session, now: dt.datetime) -> None:
    queries.forget_guesses(db, rules.window_of(now))


def _guessers(actor: Actor, index: BlindIndex) -> list[tuple[str, int]]:
    return [
        (f"account:{actor.account_id}", rules.GUESSES_OF_ACCOUNT),
        # Where somebody was is nobody's business: only a keyed hash is kept.
        (f"address:{index.index(actor.address, 'code_guess')}", rules.GUESSES_OF_ADDRESS),
    ]
