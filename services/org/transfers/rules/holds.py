"""Pure rules of holds: who places and lifts which, and what has to be shown (`domain.md` §3.13, W36); no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.org.contract.transfers import HoldEvidence, HoldKind, HoldState
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed

# City-course arrears are the city centre's to settle, a district's course arrears the district institution's (S3:167).
KEEPERS: dict[HoldKind, Role] = {
    HoldKind.SPECIAL_USER: Role.CITY_CENTRE,
    HoldKind.CITY_ARREARS: Role.CITY_CENTRE,
    HoldKind.DISTRICT_ARREARS: Role.DISTRICT_INSTITUTION,
}
FIRST_TIME = frozenset({HoldEvidence.ID_DOCUMENT})
AGAIN = FIRST_TIME | {HoldEvidence.STAMPED_LETTER}  # from the second time on (S3:935)
COLLECTIVELY = frozenset({HoldEvidence.STAFF_ID, HoldEvidence.STAMPED_APPLICATION})


def require_keeper(grants: Iterable[Grant], kind: HoldKind, place: str) -> None:
    """Raises NotAllowed("org.hold_elsewhere") unless the caller keeps holds of this kind there."""
    if not any(grant.role is KEEPERS[kind] and covers(grant.place, place) for grant in grants):
        raise NotAllowed("org.hold_elsewhere")


def place_of_keeper(grants: Iterable[Grant], kind: HoldKind, teacher_place: str) -> str:
    """Where the institution stands that places a hold on a teacher: the hold stays its own, wherever she goes.

    Raises NotAllowed("org.hold_elsewhere").
    """
    for grant in grants:
        if grant.role is KEEPERS[kind] and covers(grant.place, teacher_place):
            return grant.place
    raise NotAllowed("org.hold_elsewhere")


def next_occurrence(earlier: int) -> int:
    """SPECIAL(n = occurrences + 1): lifting one does not forget it."""
    return earlier + 1


def evidence_needed(kind: HoldKind, occurrence: int, *, collectively: bool) -> frozenset[HoldEvidence]:
    """What must be shown to lift a hold. Arrears need none: the institution sees its own books."""
    if kind is not HoldKind.SPECIAL_USER:
        return frozenset()
    if collectively:
        return COLLECTIVELY
    return FIRST_TIME if occurrence == 1 else AGAIN


def require_evidence(
    kind: HoldKind, occurrence: int, shown: Collection[HoldEvidence], *, collectively: bool = False
) -> None:
    """Raises InvalidInput("org.hold_evidence") when something is missing (W36)."""
    if evidence_needed(kind, occurrence, collectively=collectively) - set(shown):
        raise InvalidInput("org.hold_evidence", "evidence")


def require_active(state: HoldState) -> None:
    """Raises Conflict("org.hold_lifted")."""
    if state is not HoldState.ACTIVE:
        raise Conflict("org.hold_lifted")
