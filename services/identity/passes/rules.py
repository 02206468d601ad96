"""Authorisations under way, and which pass must stay."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

# Time to sign in at the issuer, perhaps with a code of theirs: ours.
FLOW_LIFETIME = dt.timedelta(minutes=10)
FLOW_KEPT = dt.timedelta(days=1)

LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 §2: ASCII, at most 255


class Purpose(enum.StrEnum):
    SIGN_IN = "SIGN_IN"
    BIND = "BIND"


@dataclasses.dataclass(frozen=True)
class Stage:
    """How far an authorisation has come."""

    purpose: Purpose
    expires_at: dt.datetime
    used_by: str | None


def is_redeemable(stage: Stage, purpose: Purpose, command_id: str | None, now: dt.datetime) -> bool:
    """Whether this command may go on with it: once, in time, for what it was begun for.

    The same command repeated is a lost answer and may.
    """
    if stage.purpose is not purpose or now >= stage.expires_at:
        return False
    return stage.used_by is None or stage.used_by == command_id


def is_subject(subject: object) -> bool:
    """Whether an issuer may call somebody so."""
    return (
        isinstance(subject, str) and subject.isascii() and subject.isprintable() and 0 < len(subject) <= LONGEST_SUBJECT
    )


def is_last_way_in(*, has_password: bool, phone_is_dead: bool, other_passes: int) -> bool:
    """Whether a pass may not be unbound.

    Every account has a phone and signs in by SMS code, unless a ticket in progress says that this phone is dead.
    """
    return phone_is_dead and not has_password and other_passes == 0
