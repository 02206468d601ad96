"""A person's wish to be erased (PIPL 47): time to think it over, then for good."""

from __future__ import annotations

import datetime as dt
import enum

from services.shared.errors import Conflict

# PIPL names no time; platforms in the country give 7 to 15 working days. The longest of them: a certificate once printed
# is worth a long thought.
COOLING = dt.timedelta(days=15)


class ErasureState(enum.StrEnum):
    REQUESTED = "REQUESTED"
    CANCELLED = "CANCELLED"
    DONE = "DONE"


class Act(enum.StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    ERASE = "ERASE"  # by the clock


_NEXT = {
    (None, Act.REQUEST): ErasureState.REQUESTED,
    (ErasureState.CANCELLED, Act.REQUEST): ErasureState.REQUESTED,
    (ErasureState.REQUESTED, Act.CANCEL): ErasureState.CANCELLED,
    (ErasureState.REQUESTED, Act.ERASE): ErasureState.DONE,
}


def next_state(state: ErasureState | None, act: Act) -> ErasureState:
    """The state after the act; None is no wish so far. Raises Conflict for every other pair."""
    if (state, act) not in _NEXT:
        raise Conflict("identity.erasure_requested" if act is Act.REQUEST else "identity.erasure_not_requested")
    return _NEXT[state, act]


def due_at(requested_at: dt.datetime) -> dt.datetime:
    return requested_at + COOLING
