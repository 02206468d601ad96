"""Pure rules of tenant policies: which one holds at a place; no I/O."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable

from services.org.contract import Level
from services.org.contract.units import ProfileReview, TenantMode
from services.shared.errors import InvalidInput

LEVELS = frozenset({Level.PROVINCE, Level.CITY, Level.COUNTY})
# A policy is found again by every change of it, so its id follows from the place.
_POLICIES = uuid.UUID("6b1d4c0e-52f7-5a0d-8a53-0b6f2f7f3c41")


@dataclasses.dataclass(frozen=True)
class TenantPolicy:
    """What holds at a place. `place` is where it was decided, "" for the default."""

    place: str
    mode: TenantMode
    max_school_admins: int
    profile_review: ProfileReview


# smartedu's way: unverified teachers study, a school has one admin (`domain.md` §3.1, §1.1 A6, open point 4).
DEFAULT = TenantPolicy("", TenantMode.OPEN, 1, ProfileReview.NONE)


def id_of(place: str) -> uuid.UUID:
    return uuid.uuid5(_POLICIES, place)


def path_to(place: str) -> list[str]:
    """The place and all above it, from the country down."""
    steps = place.split("/")
    return ["/".join(steps[:count]) for count in range(1, len(steps) + 1)]


def nearest(policies: Iterable[TenantPolicy]) -> TenantPolicy:
    """Of the policies on the way down to a place, the one decided closest to it; the default when there is none."""
    return max(policies, key=lambda policy: len(policy.place), default=DEFAULT)


def require_policy_level(level: Level) -> None:
    """Provinces, cities and counties decide; neither the nation nor a school. Raises InvalidInput("org.policy_elsewhere")."""
    if level not in LEVELS:
        raise InvalidInput("org.policy_elsewhere", "place")
