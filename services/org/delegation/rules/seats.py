"""Pure rules of seats: which administrators a unit is expected to have, and how far each has come; no I/O."""

from __future__ import annotations

import dataclasses
import re

from services.org.contract import Level
from services.org.contract.delegation import SeatState
from services.org.rules.delegation import SPECIALISED
from services.shared.actor import Role

_SCHOOL = re.compile(r"/s[0-9a-f]{32}\Z")


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many seats there are and how far they have come; what is in none of the three was never given a code."""

    expected: int = 0
    generated: int = 0
    activated: int = 0
    disabled: int = 0

    @property
    def not_generated(self) -> int:
        return self.expected - self.generated - self.activated - self.disabled

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.expected + other.expected,
            self.generated + other.generated,
            self.activated + other.activated,
            self.disabled + other.disabled,
        )

    def __neg__(self) -> Counts:
        return Counts(-self.expected, -self.generated, -self.activated, -self.disabled)

    def __sub__(self, other: Counts) -> Counts:
        return self + -other

    def __bool__(self) -> bool:
        return self != Counts()


def seats_of(level: Level) -> tuple[Role, ...]:
    """The roles that a unit of this level is expected to have filled (`domain.md` §5.2)."""
    if level is Level.SCHOOL:
        return (Role.SCHOOL_ADMIN,)
    return (Role.SUPER_ADMIN, SPECIALISED[level]) if level in SPECIALISED else ()


def count_of(state: SeatState) -> Counts:
    """What one standing seat in this state adds to every place above it."""
    return Counts(
        1,
        int(state is SeatState.GENERATED),
        int(state is SeatState.ACTIVATED),
        int(state is SeatState.DISABLED),
    )


def state_of_seat(*, holders: int, codes: int, former: int) -> SeatState:
    """How far a seat has come, from its active grants, its live codes and the grants that have ended.

    A code for a seat that is held waits for a second administrator or a successor: the seat stays activated.
    """
    if holders:
        return SeatState.ACTIVATED
    if codes:
        return SeatState.GENERATED
    return SeatState.DISABLED if former else SeatState.NOT_GENERATED


def is_school(place: str) -> bool:
    """Whether this is the place of a real school or institution: 其他 has no administrator."""
    return _SCHOOL.search(place) is not None


def places_above(place: str) -> list[str]:
    """The place itself and everything above it, from the country down: where a seat counts."""
    steps = place.split("/")
    return ["/".join(steps[: end + 1]) for end in range(len(steps))]
