"""Tickets for a dead phone: who may move them where, how long they cool, when they are forgotten."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Sequence

from services.identity.contract.phone import TicketState
from services.identity.rules.contact import name_key
from services.shared.errors import Conflict, NotAllowed

NEW_PURPOSE = "PHONE_TICKET"

COOLING = dt.timedelta(hours=24)  # domain.md §3.10
EVIDENCE_KEPT = dt.timedelta(days=7)  # after the decision; domain.md §3.10 leaves the number to us
DRAFT_KEPT = dt.timedelta(hours=24)  # ours
# An agent who went home must not hold up a person: ours.
CLAIM_HELD = dt.timedelta(hours=2)
# Of one new phone in a day: ours; enough for a photo that was unreadable twice. Not of an old one, which anybody may name.
PER_DAY = 3


class Act(enum.StrEnum):
    SUBMIT = "SUBMIT"
    LAPSE = "LAPSE"
    CLAIM = "CLAIM"
    PUT_BACK = "PUT_BACK"
    APPROVE = "APPROVE"
    APPROVE_FIRST = "APPROVE_FIRST"  # the first of two agents
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"  # by whoever asked
    STOP = "STOP"  # by whoever holds the old number or the account
    FINISH = "FINISH"
    FAIL = "FAIL"  # what was approved cannot be done any more


D, S, R, C = TicketState.DRAFT, TicketState.SUBMITTED, TicketState.IN_REVIEW, TicketState.COOLING

# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[TicketState, Act], TicketState] = {
    (D, Act.SUBMIT): S,
    (D, Act.LAPSE): TicketState.EXPIRED,
    (S, Act.CLAIM): R,
    (R, Act.CLAIM): R,  # from an agent who has held it too long
    (R, Act.PUT_BACK): S,
    (R, Act.APPROVE): C,
    (R, Act.APPROVE_FIRST): S,
    (R, Act.REJECT): TicketState.REJECTED,
    (D, Act.WITHDRAW): TicketState.CANCELLED,
    (S, Act.WITHDRAW): TicketState.CANCELLED,
    (R, Act.WITHDRAW): TicketState.CANCELLED,
    (C, Act.WITHDRAW): TicketState.CANCELLED,
    (S, Act.STOP): TicketState.CANCELLED,
    (R, Act.STOP): TicketState.CANCELLED,
    (C, Act.STOP): TicketState.CANCELLED,
    (C, Act.FINISH): TicketState.DONE,
    (C, Act.FAIL): TicketState.CANCELLED,
}
REFUSALS: dict[Act, str] = {
    Act.SUBMIT: "identity.ticket_sent",
    Act.LAPSE: "identity.ticket_sent",
    Act.CLAIM: "identity.ticket_not_waiting",
    Act.PUT_BACK: "identity.ticket_not_waiting",
    Act.APPROVE: "identity.ticket_not_waiting",
    Act.APPROVE_FIRST: "identity.ticket_not_waiting",
    Act.REJECT: "identity.ticket_not_waiting",
    Act.WITHDRAW: "identity.ticket_too_late",
    Act.STOP: "identity.ticket_too_late",
    Act.FINISH: "identity.ticket_too_late",
    Act.FAIL: "identity.ticket_too_late",
}
# A phone, old or new, has one such ticket at a time. Drafts do not count: a stranger's must not stand in anybody's way.
IN_PROGRESS = (S, R, C)
OVER = (TicketState.DONE, TicketState.REJECTED, TicketState.CANCELLED, TicketState.EXPIRED)


def next_state(state: TicketState, act: Act) -> TicketState:
    """The state after `act`. Raises Conflict with the act's own code when it is not possible now."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict(REFUSALS[act]) from None


@dataclasses.dataclass(frozen=True)
class Claim:
    """Which agent has a ticket, since when."""

    agent: uuid.UUID | None
    since: dt.datetime | None

    def is_held_by_another(self, agent: uuid.UUID | None, now: dt.datetime) -> bool:
        if self.agent is None or self.since is None or self.agent == agent:
            return False
        return now < self.since + CLAIM_HELD


def require_claimable(claim: Claim, agent: uuid.UUID | None, now: dt.datetime) -> None:
    """Raises Conflict("identity.ticket_claimed") while another agent has the ticket."""
    if claim.is_held_by_another(agent, now):
        raise Conflict("identity.ticket_claimed")


def require_claimed(claim: Claim, agent: uuid.UUID | None) -> None:
    """Raises Conflict("identity.ticket_not_yours") unless this agent has the ticket."""
    if agent is None or claim.agent != agent:
        raise Conflict("identity.ticket_not_yours")


def require_stranger(agent: uuid.UUID | None, account: uuid.UUID | None) -> None:
    """Nobody decides what is about himself (`domain.md` §1.2). Raises NotAllowed("identity.ticket_own")."""
    if agent is not None and agent == account:
        raise NotAllowed("identity.ticket_own")


def approval(grants: Sequence[object], first_agent: uuid.UUID | None, agent: uuid.UUID | None) -> Act:
    """What an approval by `agent` is: an account that holds grants needs two different agents (`reliability.md` d37).

    Raises NotAllowed("identity.ticket_second_agent") when the same agent would be both.
    """
    if not grants:
        return Act.APPROVE
    if first_agent is None:
        return Act.APPROVE_FIRST
    if first_agent == agent:
        raise NotAllowed("identity.ticket_second_agent")
    return Act.APPROVE


@dataclasses.dataclass(frozen=True)
class Match:
    """How what was claimed compares with the account of the old phone."""

    account: bool
    name: bool
    id_no: bool

    @property
    def is_whole(self) -> bool:
        return self.account and self.name and self.id_no


NO_MATCH = Match(account=False, name=False, id_no=False)


def is_same_name(claimed: str, known: str) -> bool:
    """Whether two names are one, however their parts are joined. An account without a name matches nothing."""
    return bool(known) and name_key(claimed) == name_key(known)


def forget_at(state: TicketState, decided_at: dt.datetime | None, over_at: dt.datetime) -> dt.datetime:
    """When a ticket's images and what it says of a person are deleted.

    Seven days after the agent's decision, but never while it is being carried out; what ended without a decision is
    deleted at once.
    """
    if state not in OVER:
        raise ValueError("a ticket is forgotten when it is over")
    return over_at if decided_at is None else max(decided_at + EVIDENCE_KEPT, over_at)
