"""Changing the phone while the old one still answers: old code, new phone, new code, in this order."""

from __future__ import annotations

import datetime as dt
import enum

from services.shared.errors import Conflict

# Three lifetimes of a code (`rules/sign_in.py`): two are typed, and one may have to be sent again.
LIFETIME = dt.timedelta(minutes=15)

OLD_PURPOSE = "PHONE_OLD"
NEW_PURPOSE = "PHONE_NEW"


class State(enum.StrEnum):
    OLD_SENT = "OLD_SENT"
    OLD_PROVED = "OLD_PROVED"
    NEW_SENT = "NEW_SENT"
    DONE = "DONE"
    REPLACED = "REPLACED"  # begun again


class Act(enum.StrEnum):
    PROVE_OLD = "PROVE_OLD"
    NAME_NEW = "NAME_NEW"
    PROVE_NEW = "PROVE_NEW"
    REPLACE = "REPLACE"


# Whatever is not listed is refused. NEW_SENT --name new--> NEW_SENT: a number was mistyped, or its code got lost.
TRANSITIONS: dict[tuple[State, Act], State] = {
    (State.OLD_SENT, Act.PROVE_OLD): State.OLD_PROVED,
    (State.OLD_PROVED, Act.NAME_NEW): State.NEW_SENT,
    (State.NEW_SENT, Act.NAME_NEW): State.NEW_SENT,
    (State.NEW_SENT, Act.PROVE_NEW): State.DONE,
    (State.OLD_SENT, Act.REPLACE): State.REPLACED,
    (State.OLD_PROVED, Act.REPLACE): State.REPLACED,
    (State.NEW_SENT, Act.REPLACE): State.REPLACED,
}
UNFINISHED = (State.OLD_SENT, State.OLD_PROVED, State.NEW_SENT)


def next_state(state: State, act: Act, expires_at: dt.datetime, now: dt.datetime) -> State:
    """The state after `act`.

    Raises Conflict: "identity.phone_change_order" out of turn, "identity.phone_change_expired" when it took too long.
    """
    if state in UNFINISHED and act is not Act.REPLACE and now >= expires_at:
        raise Conflict("identity.phone_change_expired")
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("identity.phone_change_order") from None
