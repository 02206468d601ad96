"""Pure rules of holds: what each blocks, who keeps it, what has to be shown (`domain.md` §3.13, W36); no I/O.

The numbers are data (`policies.yaml`); a policy comes in as an argument.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable

from services.billing.contract.holds import Blocked, HoldEvidence, HoldState
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed


@dataclasses.dataclass(frozen=True)
class EvidenceStep:
    """What is to be shown from this occurrence on."""

    from_occurrence: int
    shown: frozenset[HoldEvidence]


@dataclasses.dataclass(frozen=True)
class HoldPolicy:
    """One kind of hold. `evidence` in the order of its occurrences; an empty one means that nothing has to be shown."""

    keeper: Role
    blocks: tuple[Blocked, ...]
    evidence: tuple[EvidenceStep, ...]
    collectively: frozenset[HoldEvidence]


def require_keeper(policy: HoldPolicy, grants: Iterable[Grant], place: str) -> None:
    """Raises NotAllowed("billing.hold_elsewhere") unless the caller keeps holds of this kind there."""
    if not any(grant.role is policy.keeper and covers(grant.place, place) for grant in grants):
        raise NotAllowed("billing.hold_elsewhere")


def place_of_keeper(policy: HoldPolicy, grants: Iterable[Grant], teacher_place: str) -> str:
    """Where the institution stands that places a hold on a teacher: the hold stays its own, wherever she goes.

    Raises NotAllowed("billing.hold_elsewhere").
    """
    for grant in grants:
        if grant.role is policy.keeper and covers(grant.place, teacher_place):
            return grant.place
    raise NotAllowed("billing.hold_elsewhere")


def next_occurrence(earlier: int) -> int:
    """SPECIAL(n = occurrences + 1): lifting one does not forget it."""
    return earlier + 1


def evidence_needed(policy: HoldPolicy, occurrence: int, *, collectively: bool) -> frozenset[HoldEvidence]:
    """What must be shown to lift a hold that came for the `occurrence`th time."""
    if collectively:
        return policy.collectively
    steps = [step.shown for step in policy.evidence if step.from_occurrence <= occurrence]
    return steps[-1] if steps else frozenset()


def require_evidence(
    policy: HoldPolicy, occurrence: int, shown: Collection[HoldEvidence], *, collectively: bool = False
) -> None:
    """Raises InvalidInput("billing.hold_evidence") when something is missing (W36)."""
    if evidence_needed(policy, occurrence, collectively=collectively) - set(shown):
        raise InvalidInput("billing.hold_evidence", "evidence")


def require_active(state: HoldState) -> None:
    """Raises Conflict("billing.hold_lifted")."""
    if state is not HoldState.ACTIVE:
        raise Conflict("billing.hold_lifted")


def require_other_person(decider: uuid.UUID | None, teacher: uuid.UUID) -> None:
    """Nobody decides about himself (`domain.md` §1.2). Raises NotAllowed("billing.not_yourself")."""
    if decider == teacher:
        raise NotAllowed("billing.not_yourself")
