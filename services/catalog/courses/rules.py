"""Pure rules of courses: who keeps them where, and what a change must name; no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from services.catalog.contract.courses import CourseState, HourType
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, NotAllowed

# The city centre's and the district institution's courses (S3:164, 167), and an institution's own (S3:734).
KEEPERS = frozenset({Role.CITY_CENTRE, Role.DISTRICT_INSTITUTION, Role.TRAINING_INSTITUTION})


def is_public(hour_type: HourType) -> bool:
    """公需: its material fee is nobody's to collect for others (S3:409)."""
    return hour_type is HourType.PUBLIC


def require_home(grants: Iterable[Grant], place: str) -> None:
    """A record is kept where its keeper stands, not somewhere below. Raises NotAllowed("catalog.keeper_elsewhere")."""
    if not any(grant.role in KEEPERS and grant.place == place for grant in grants):
        raise NotAllowed("catalog.keeper_elsewhere", "place")


def require_version(known: int, present: int) -> None:
    """Nobody overwrites what he has not seen. Raises Conflict("catalog.course_version")."""
    if known != present:
        raise Conflict("catalog.course_version", "version")


def require_open(state: CourseState) -> None:
    """Raises Conflict("catalog.course_withdrawn")."""
    if state is not CourseState.OPEN:
        raise Conflict("catalog.course_withdrawn")


def may_name(place: str, unit_place: str) -> bool:
    """Whether a course kept at `place` may name a unit: one at or below it, or one attached directly to what it lies in.

    A district may offer what an institution of its city holds; nobody charges in the name of another city's unit.
    """
    return covers(place, unit_place) or covers(unit_place.rpartition("/")[0], place)
