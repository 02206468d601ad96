"""Pure rules of moving a school to another division: who asks, who executes (`domain.md` §3.7); no I/O."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable

from services.org.contract.units import MoveState
from services.shared.actor import REGION_ADMINS, Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed


class Act(enum.StrEnum):
    EXECUTE = "EXECUTE"
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"


# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[MoveState, Act], MoveState] = {
    (MoveState.REQUESTED, Act.EXECUTE): MoveState.EXECUTED,
    (MoveState.REQUESTED, Act.REJECT): MoveState.REJECTED,
    (MoveState.REQUESTED, Act.WITHDRAW): MoveState.WITHDRAWN,
}
PROVINCE_STEPS = 2  # CN/440000


def next_state(state: MoveState, act: Act) -> MoveState:
    """The state after `act`. Raises Conflict("org.move_decided") for a request that is over."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("org.move_decided") from None


def executing_place(parent: str, target: str) -> str:
    """The lowest place that lies above both sides, or is one of them: a city for two of its counties, a province for two
    of its cities, the nation for two provinces. From a county to its own city it is that city.
    """
    steps: list[str] = []
    for ours, theirs in zip(parent.split("/"), target.split("/"), strict=False):
        if ours != theirs:
            break
        steps.append(ours)
    return "/".join(steps)


def require_elsewhere(parent: str, target: str) -> None:
    """Raises InvalidInput("org.move_nowhere") for the division where the school stands."""
    if parent == target:
        raise InvalidInput("org.move_nowhere", "division_code")


def asks(grants: Iterable[Grant], parent: str, target: str) -> bool:
    """Whether these grants ask for such a move: either side's keeper, or a region between a side and the executing level."""
    above = executing_place(parent, target)
    return any(_asks(grant, parent, target, above) for grant in grants)


def _asks(grant: Grant, parent: str, target: str, above: str) -> bool:
    if grant.role is Role.NATIONAL_OPERATOR:
        return True
    is_side = grant.place in (parent, target)
    is_between = grant.place != above and covers(above, grant.place)
    reaches = covers(grant.place, parent) or covers(grant.place, target)
    return grant.role in REGION_ADMINS and reaches and (is_side or is_between)


def require_executor(grants: Iterable[Grant], parent: str, target: str) -> None:
    """The level that lies closest above both sides executes, or the nation for anyone.

    Raises NotAllowed("org.move_other_level") for whoever stands higher.
    """
    above = executing_place(parent, target)
    for grant in grants:
        if grant.role is Role.NATIONAL_OPERATOR or (grant.role in REGION_ADMINS and grant.place == above):
            return
    raise NotAllowed("org.move_other_level")


def require_other_person(asker: uuid.UUID, decider: uuid.UUID | None) -> None:
    """Nobody decides what he asked for himself (`domain.md` §1.2). Raises NotAllowed("org.move_own_request")."""
    if asker == decider:
        raise NotAllowed("org.move_own_request")


def require_own_request(asker: uuid.UUID, caller: uuid.UUID | None) -> None:
    """Raises NotAllowed("org.move_not_yours") when somebody else asked."""
    if asker != caller:
        raise NotAllowed("org.move_not_yours")


def leaves_province(parent: str, target: str) -> bool:
    """Whether the school comes under another province, whose number its code would have to carry."""
    return parent.split("/")[:PROVINCE_STEPS] != target.split("/")[:PROVINCE_STEPS]
