"""Who waits for the school's approval before anything else (GATED tenants, `domain.md` §3.1)."""

from __future__ import annotations

GATED = "GATED"
VERIFIED = "VERIFIED"


def is_waiting(place: str, state: str, mode: str) -> bool:
    """Whether a teacher of `place` in membership state `state` waits. `mode` is the nearest policy's, "" without one.

    Who has chosen no place yet belongs to no tenant that could ask them to wait, and must be able to choose.
    """
    return bool(place) and mode == GATED and state != VERIFIED


def places_above(place: str) -> list[str]:
    """The place itself and all that it lies below, nearest first."""
    parts = place.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)] if place else []
