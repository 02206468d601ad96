"""Pure rules of asking for a school that is missing (`domain.md` §3.6); no I/O."""

from __future__ import annotations

import enum
import unicodedata
import uuid
from collections.abc import Collection

from services.org.contract import MembershipState
from services.org.contract.units import RequestState
from services.org.rules import schools
from services.shared.errors import Conflict, NotAllowed


class Act(enum.StrEnum):
    CREATE = "CREATE"  # the school is created
    FIND = "FIND"  # it is there under another name
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"  # the last one who asked


# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[RequestState, Act], RequestState] = {
    (RequestState.OPEN, Act.CREATE): RequestState.CREATED,
    (RequestState.OPEN, Act.FIND): RequestState.FOUND,
    (RequestState.OPEN, Act.REJECT): RequestState.REJECTED,
    (RequestState.OPEN, Act.WITHDRAW): RequestState.WITHDRAWN,
}


def next_state(state: RequestState, act: Act) -> RequestState:
    """The state after `act`. Raises Conflict("org.request_decided") for a request that is over."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("org.request_decided") from None


def name_key(name: str) -> str:
    """What two colleagues' spellings of one school have in common: full width or half, upper or lower case, spaces."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def require_waiting_in_other(state: MembershipState | None, place: str) -> None:
    """Who asks for her school waits in the 其他 of its county (§2.2). Raises Conflict("org.not_in_other")."""
    if state is not MembershipState.PENDING or not schools.is_other(place):
        raise Conflict("org.not_in_other")


def require_none_open(open_requests: int) -> None:
    """One school at a time. Raises Conflict("org.request_open")."""
    if open_requests:
        raise Conflict("org.request_open")


def require_other_person(askers: Collection[uuid.UUID], decider: uuid.UUID | None) -> None:
    """Nobody decides what he asked for himself (`domain.md` §1.2). Raises NotAllowed("org.request_own")."""
    if decider in askers:
        raise NotAllowed("org.request_own")
