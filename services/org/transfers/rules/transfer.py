"""Pure rules of a teacher's transfer (`domain.md` §3.3): who decides, who is refused, what may follow what; no I/O."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from collections.abc import Iterable

from services.billing.contract.holds import Blocked, HoldKind
from services.org.contract import Level
from services.org.contract.transfers import TransferLevel, TransferState
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, NotAllowed


class Step(enum.StrEnum):
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"


# Whatever is not listed is refused: a decision is final.
TRANSITIONS: dict[tuple[TransferState, Step], TransferState] = {
    (TransferState.PENDING, Step.APPROVE): TransferState.APPROVED,
    (TransferState.PENDING, Step.REJECT): TransferState.REJECTED,
    (TransferState.PENDING, Step.WITHDRAW): TransferState.WITHDRAWN,
}
# Stored levels of the lowest place above both schools. A county may stand directly under a province, and a city may have
# no counties, so the number of steps between two paths says nothing.
LEVELS: dict[Level, TransferLevel] = {
    Level.COUNTY: TransferLevel.DISTRICT,
    Level.CITY: TransferLevel.CITY,
    Level.PROVINCE: TransferLevel.PROVINCE,
    Level.NATION: TransferLevel.NATION,
}
# `domain.md` §1.2, with the further rights below the table: A9 and A7 county, A10 and A7 city, A7 province, A13.
APPROVERS: dict[TransferLevel, frozenset[Role]] = {
    TransferLevel.DISTRICT: frozenset({Role.COUNTY_ADMIN, Role.DISTRICT_INSTITUTION}),
    TransferLevel.CITY: frozenset({Role.CITY_ADMIN, Role.CITY_CENTRE}),
    TransferLevel.PROVINCE: frozenset({Role.PROVINCE_ADMIN}),
    TransferLevel.NATION: frozenset({Role.NATIONAL_OPERATOR}),
}
ALL_APPROVERS: frozenset[Role] = frozenset().union(*APPROVERS.values())

# A special user (S3:167) comes first: clearing that is what the teacher has to do herself.
_REFUSALS: tuple[tuple[HoldKind, str], ...] = (
    (HoldKind.SPECIAL_USER, "org.transfer_special_user"),
    (HoldKind.CITY_ARREARS, "org.transfer_arrears"),
    (HoldKind.DISTRICT_ARREARS, "org.transfer_arrears"),
)


def next_state(state: TransferState, step: Step) -> TransferState:
    """The state after `step`. Raises Conflict("org.transfer_decided") for a transfer that no longer waits."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise Conflict("org.transfer_decided") from None


def place_above_both(one: str, other: str) -> str:
    """The lowest place above two schools, where their transfer is decided."""
    shared = []
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        shared.append(left)
    return "/".join(shared)


def level_at(level: Level) -> TransferLevel:
    """Who decides a transfer whose lowest common place is of this stored level."""
    return LEVELS[level]


def require_other_school(present: uuid.UUID, wanted: uuid.UUID) -> None:
    """Raises Conflict("org.transfer_same_school")."""
    if present == wanted:
        raise Conflict("org.transfer_same_school")


@dataclasses.dataclass(frozen=True)
class Held:
    """A hold as billing tells it: what it is, and what it keeps the teacher from."""

    kind: HoldKind
    blocks: frozenset[Blocked]


def refusal_for(holds: Iterable[Held]) -> str:
    """The code that a held teacher's transfer is refused with, "" for one whom nothing keeps from being transferred."""
    live = {held.kind for held in holds if Blocked.TRANSFER in held.blocks}
    return next((code for kind, code in _REFUSALS if kind in live), "")


def require_no_holds(holds: Iterable[Held]) -> None:
    """Raises Conflict: "org.transfer_special_user", or "org.transfer_arrears" for anything unpaid (S3:167, W35)."""
    if code := refusal_for(holds):
        raise Conflict(code)


def require_approver(grants: Iterable[Grant], level: TransferLevel, place: str) -> None:
    """Raises NotAllowed("org.transfer_other_level") for whoever sees the transfer and is not the one to decide it."""
    if not any(grant.role in APPROVERS[level] and covers(grant.place, place) for grant in grants):
        raise NotAllowed("org.transfer_other_level")


def require_other_hands(decider: uuid.UUID | None, requester: str, teacher: uuid.UUID) -> None:
    """Nobody decides what he asked for or what is about himself (`domain.md` §1.2).

    Raises NotAllowed: "org.transfer_own_request" or "org.not_yourself".
    """
    if decider == teacher:
        raise NotAllowed("org.not_yourself")
    if str(decider) == requester:
        raise NotAllowed("org.transfer_own_request")
