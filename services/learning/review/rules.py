"""When a day of study is conspicuous, and what becomes of its review. Pure rules; no I/O.

Nothing here takes time away: what is found is held as pending until a person has looked, and is never deleted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Iterable, Sequence

from services.learning.contract.reviews import ReviewState

# Our decisions (domain.md §4.8 f names the signs and no numbers). Honest days stay well below each.
LONG_DAY_SECONDS = 16 * 3600
# Claimed beyond what the clock can have seen since the opening: a player that was offline never gets there.
SPEED_EXCESS_SECONDS = 600
SPEED_RATIO = 1.5
# One computer of a staff room serves many teachers, one after the other; not several at the same moment.
DEVICE_TEACHERS_AT_ONCE = 3
DEVICE_TEACHERS_A_DAY = 10
# So many openings of the same videos with the same pauses between them, to two seconds, by so many teachers.
RHYTHM_SITTINGS = 4
RHYTHM_TEACHERS = 5
RHYTHM_GRAIN_SECONDS = 2


class ReviewAct(enum.StrEnum):
    CLEAR = "CLEAR"
    UPHOLD = "UPHOLD"
    APPEAL = "APPEAL"


_MOVES = {
    (ReviewState.PENDING, ReviewAct.CLEAR): ReviewState.CLEARED,
    (ReviewState.PENDING, ReviewAct.UPHOLD): ReviewState.UPHELD,
    (ReviewState.UPHELD, ReviewAct.APPEAL): ReviewState.APPEALED,
    (ReviewState.APPEALED, ReviewAct.CLEAR): ReviewState.CLEARED,
    (ReviewState.APPEALED, ReviewAct.UPHOLD): ReviewState.CONFIRMED,
}
# While a review stands so, the time of its sittings does not count.
HOLDING = frozenset(ReviewState) - {ReviewState.CLEARED}


@dataclasses.dataclass(frozen=True)
class Presence:
    """A teacher at a device, from opening to the last sign of life."""

    teacher_id: uuid.UUID
    since: dt.datetime
    until: dt.datetime


def next_state(state: ReviewState, act: ReviewAct) -> ReviewState | None:
    """Where the act leads, or None where it has no place."""
    return _MOVES.get((state, act))


def may_decide(reviewer_id: uuid.UUID | None, teacher_id: uuid.UUID, decided_by: uuid.UUID | None) -> bool:
    """Nobody decides about themselves, and an appeal goes to somebody else than the first decision."""
    return reviewer_id not in (None, teacher_id, decided_by)


def is_long_day(seconds: int) -> bool:
    return seconds >= LONG_DAY_SECONDS


def is_impossible_speed(claimed_seconds: int, elapsed_seconds: float) -> bool:
    return (
        claimed_seconds - elapsed_seconds >= SPEED_EXCESS_SECONDS and claimed_seconds >= SPEED_RATIO * elapsed_seconds
    )


def is_shared(device: Sequence[Presence]) -> bool:
    teachers = {presence.teacher_id for presence in device}
    return len(teachers) >= DEVICE_TEACHERS_A_DAY or most_at_once(device) >= DEVICE_TEACHERS_AT_ONCE


def most_at_once(device: Iterable[Presence]) -> int:
    """How many teachers were at the device at the same moment; touching ends do not overlap."""
    moments = sorted(
        moment
        for presence in device
        for moment in ((presence.since, 1, presence.teacher_id), (presence.until, 0, presence.teacher_id))
        if presence.since < presence.until
    )
    there: dict[uuid.UUID, int] = {}
    most = 0
    for _, comes, teacher_id in moments:
        there[teacher_id] = there.get(teacher_id, 0) + (1 if comes else -1)
        if not there[teacher_id]:
            del there[teacher_id]
        most = max(most, len(there))
    return most
