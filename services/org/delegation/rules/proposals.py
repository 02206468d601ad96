"""Pure rules of proposed grants: what may become of a proposal, and how long it waits (`reliability.md` d37); no I/O."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from services.org.contract.delegation import ProposalState
from services.shared.errors import Conflict, NotAllowed

LIFETIME = dt.timedelta(days=7)  # our decision: long enough for holidays, too short to be forgotten


class Act(enum.StrEnum):
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"
    EXPIRE = "EXPIRE"


# Whatever is not listed is refused: what was decided stays decided.
TRANSITIONS: dict[tuple[ProposalState, Act], ProposalState] = {
    (ProposalState.OPEN, Act.APPROVE): ProposalState.APPROVED,
    (ProposalState.OPEN, Act.REJECT): ProposalState.REJECTED,
    (ProposalState.OPEN, Act.WITHDRAW): ProposalState.WITHDRAWN,
    (ProposalState.OPEN, Act.EXPIRE): ProposalState.EXPIRED,
}


def next_state(state: ProposalState, act: Act) -> ProposalState:
    """The state after `act`. Raises Conflict("org.proposal_over") for a proposal that is open no more."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("org.proposal_over") from None


def require_open(expires_at: dt.datetime, now: dt.datetime) -> None:
    """Raises Conflict("org.proposal_over") once its time is over, swept or not; the end itself is outside."""
    if now >= expires_at:
        raise Conflict("org.proposal_over")


def require_own(proposed_by: uuid.UUID, who: uuid.UUID | None) -> None:
    """Only who proposed withdraws; others reject. Raises NotAllowed("org.proposal_not_yours")."""
    if proposed_by != who:
        raise NotAllowed("org.proposal_not_yours")
