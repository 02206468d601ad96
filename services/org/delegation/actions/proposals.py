"""Grants that take two persons: proposing, approving, rejecting, withdrawing and expiring them (`reliability.md` d37)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import grants
from services.org.contract import delegation as contract
from services.org.contract.delegation import ProposalState
from services.org.delegation import queries
from services.org.delegation.models import GrantProposal
from services.org.delegation.rules import proposals as rules
from services.org.delegation.rules.proposals import Act
from services.org.rules import delegation
from services.shared import audit, outbox
from services.shared.actor import Role
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

MISSING = "org.proposal_unknown"
BATCH = 500  # proposals ended in one run of the sweeper


def propose_grant(db: Session, call: Call, arguments: dict[str, Any]) -> GrantProposal:
    """Ask for a grant that a second person has to approve. What would be refused then is refused now.

    Raises what `grants.check_appointment` raises, Conflict("org.no_second_person_needed") where one person is enough,
    Conflict("org.proposal_open") while the same waits.
    """
    assert call.actor.account_id is not None  # the policy admits persons only
    checked = grants.check_appointment(db, call, arguments)
    delegation.require_two_persons_needed(checked.target.level)
    waiting = queries.lock_open_proposal(db, checked.account_id, checked.role, checked.target.place)
    if waiting is not None and waiting.expires_at > call.now:
        raise Conflict("org.proposal_open")
    if waiting is not None:
        _expire(db, waiting, call.now)
    proposal = GrantProposal(
        proposal_id=new_id(),
        account_id=checked.account_id,
        role=checked.role,
        place=checked.target.place,
        valid_from=arguments["valid_from"],
        valid_to=arguments["valid_to"],
        replace=arguments["replace"],
        state=ProposalState.OPEN,
        version=1,
        reason=arguments["reason"],
        proposed_by=call.actor.account_id,
        proposed_at=call.now,
        expires_at=call.now + rules.LIFETIME,
        decision_reason="",
    )
    db.add(proposal)
    _announce(db, proposal)
    _record(db, call, proposal, before=None, reason=proposal.reason)
    return proposal


def approve_grant(db: Session, call: Call, proposal_id: uuid.UUID) -> GrantProposal:
    """The second person's word: the grant is given, as if both had given it.

    Raises NotFound outside the territory, NotAllowed for who proposed it, for who would be appointed and for who may not
    give the role, Conflict("org.proposer_ended") when the first may not any more, "org.proposal_over", and whatever
    `grants.check_appointment` finds by now.
    """
    proposal, state = _to_decide(db, call, proposal_id, Act.APPROVE)
    wanted = {name: getattr(proposal, name) for name in ("account_id", "place", "valid_from", "valid_to", "replace")}
    checked = grants.check_appointment(db, call, {**wanted, "role": Role(proposal.role)})
    for replaced in checked.replaced:
        delegation.require_other_holder(proposal.proposed_by, replaced.account_id)
    if not grants.may_give(db, grants.live_grants(db, proposal.proposed_by, call.now), checked.role, checked.target):
        raise Conflict("org.proposer_ended")
    grant = grants.appoint(db, call, checked, str(proposal.proposed_by))
    db.flush()
    proposal.grant_id = grant.grant_id
    return _decide(db, call, proposal, state, "")


def reject_proposal(db: Session, call: Call, proposal_id: uuid.UUID, reason: str) -> GrantProposal:
    """The second person says no. Raises as `approve_grant`; who proposed withdraws instead."""
    proposal, state = _to_decide(db, call, proposal_id, Act.REJECT)
    grants.require_right(db, call, Role(proposal.role), org_queries.get_target(db, proposal.place))
    return _decide(db, call, proposal, state, reason)


def withdraw_proposal(db: Session, call: Call, proposal_id: uuid.UUID, reason: str) -> GrantProposal:
    """Whoever proposed takes it back. Raises NotAllowed("org.proposal_not_yours"), Conflict("org.proposal_over")."""
    proposal = _lock(db, call, proposal_id)
    rules.require_own(proposal.proposed_by, call.actor.account_id)
    return _decide(db, call, proposal, rules.next_state(ProposalState(proposal.state), Act.WITHDRAW), reason)


def expire_proposals(db: Session, now: dt.datetime) -> int:
    """End the proposals that nobody decided in time; returns how many."""
    due = queries.lock_due_proposals(db, now, BATCH)
    for proposal in due:
        _expire(db, proposal, now)
    return len(due)


def _to_decide(db: Session, call: Call, proposal_id: uuid.UUID, act: Act) -> tuple[GrantProposal, ProposalState]:
    """A proposal that somebody else made and that is still open."""
    proposal = _lock(db, call, proposal_id)
    delegation.require_second_person(proposal.proposed_by, call.actor.account_id)
    state = rules.next_state(ProposalState(proposal.state), act)
    rules.require_open(proposal.expires_at, call.now)
    return proposal, state


def _lock(db: Session, call: Call, proposal_id: uuid.UUID) -> GrantProposal:
    proposal = queries.lock_proposal(db, proposal_id)
    if proposal is None:
        raise NotFound(MISSING)
    call.authorise(place=proposal.place, missing=MISSING)
    return proposal


def _decide(db: Session, call: Call, proposal: GrantProposal, state: ProposalState, reason: str) -> GrantProposal:
    before = ProposalState(proposal.state)
    proposal.state, proposal.decided_by, proposal.decided_at = state, call.actor.account_id, call.now
    proposal.decision_reason = reason
    proposal.version += 1
    _announce(db, proposal)
    _record(db, call, proposal, before=before, reason=reason)
    return proposal


def _expire(db: Session, proposal: GrantProposal, now: dt.datetime) -> None:
    proposal.state = rules.next_state(ProposalState(proposal.state), Act.EXPIRE)
    proposal.decided_at = now
    proposal.version += 1
    _announce(db, proposal)


def _announce(db: Session, proposal: GrantProposal) -> None:
    db.flush()
    payload = {
        "proposal_id": str(proposal.proposal_id),
        "version": proposal.version,
        "role": str(proposal.role),
        "place": proposal.place,
        "state": str(proposal.state),
        "account_id": str(proposal.account_id),
    }
    outbox.announce(db, contract.GRANT_PROPOSAL_CHANGED, proposal.proposal_id, payload)


def _record(db: Session, call: Call, proposal: GrantProposal, *, before: ProposalState | None, reason: str) -> None:
    audit.record(
        db,
        call,
        subject=proposal.account_id,
        place=proposal.place,
        reason=reason,
        before={"state": str(before)} if before else {},
        after={"proposal_id": str(proposal.proposal_id), "role": str(proposal.role), "state": str(proposal.state)},
    )
