"""The administrator's desk: who may open it, and for how long it and a step-up last."""

from __future__ import annotations

import datetime as dt

from services.shared.actor import Desk

# Ours: one working day. A sign-in itself lives for a term, and a second factor asked once a term would be none.
DESK_OPEN_FOR = dt.timedelta(hours=12)
STEP_UP_LASTS = dt.timedelta(minutes=30)  # domain.md §3.11, [S3:290]


def desk_at(desk: Desk, opened_at: dt.datetime | None, has_grants: bool, now: dt.datetime) -> Desk:
    """The desk at which a sign-in stands now: the administrator's closes by itself, and with the last grant."""
    if desk is Desk.TEACHER or opened_at is None or not has_grants:
        return Desk.TEACHER
    # abs: a simulated clock may be set back, and a desk that was opened in the future must not stay open for ever.
    return Desk.ADMINISTRATOR if abs(now - opened_at) < DESK_OPEN_FOR else Desk.TEACHER


def desk_problem(grants: list[list[str]], name: str) -> str:
    """The error code that keeps the administrator's desk closed after everything was proved, or ""."""
    if not grants:
        return "identity.no_desk"
    # [S3:280]: administrators stand under their true name.
    return "" if name else "identity.name_missing"


def elevated_until(now: dt.datetime) -> dt.datetime:
    return now + STEP_UP_LASTS


def elevation_at(elevated_until: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """The end of a step-up that still lasts, None when there is none."""
    if elevated_until is None or not now < elevated_until <= now + STEP_UP_LASTS:
        return None
    return elevated_until
