"""Approving and rejecting transfers: by whoever stands above both schools, never by the one who asked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import memberships
from services.org.actions.departures import end_grants_of
from services.org.actions.memberships import Move
from services.org.contract import SchoolState
from services.org.contract.transfers import TransferLevel, TransferState
from services.org.models import Membership, School
from services.org.rules import membership as membership_rules
from services.org.rules import schools as school_rules
from services.org.rules.membership import Act
from services.org.transfers import queries
from services.org.transfers.actions import records
from services.org.transfers.actions.requests import MISSING, OVERTAKEN
from services.org.transfers.models import Transfer
from services.org.transfers.queries import TransferView
from services.org.transfers.rules import transfer as rules
from services.shared.bus import Call
from services.shared.errors import Conflict


def approve_transfer(db: Session, call: Call, holds: Sequence[rules.Held], transfer_id: uuid.UUID) -> TransferView:
    """The teacher belongs to the receiving school from this moment, verified, her employment status as it was (S3:192).

    Raises NotFound outside the caller's territory, NotAllowed for another level's transfer and for one's own, Conflict for
    one that is decided, that was overtaken, or whose teacher is held by now.
    """
    # Memberships are locked before transfers, here as in every request: two acts never wait for each other.
    teacher_id = queries.find_transfer(db, transfer_id).teacher_id
    membership = org_queries.lock_membership(db, teacher_id)
    transfer = queries.lock_transfer(db, transfer_id)
    _authorise(call, transfer)
    state = rules.next_state(TransferState(transfer.state), rules.Step.APPROVE)
    school = org_queries.get_school(db, transfer.to_school_id)
    school_rules.require_open(SchoolState(school.state))
    membership = _require_as_asked(membership, transfer, school)
    rules.require_no_holds(holds)
    after = membership_rules.next_state(memberships.state_of(membership), Act.TRANSFER)
    memberships.move_all(db, call, [Move(teacher_id, membership, school, after, membership.state)], Act.TRANSFER)
    # Whoever has left a school does not administer it: its rights go with the same announcement (T14).
    end_grants_of(db, call, teacher_id, Act.TRANSFER, at=transfer.from_place)
    return _settle(db, call, transfer, state, "")


def reject_transfer(db: Session, call: Call, transfer_id: uuid.UUID, reason: str) -> TransferView:
    """The teacher stays where she is. Refused as `approve_transfer` is, but for what would only hinder the move."""
    transfer = queries.lock_transfer(db, transfer_id)
    _authorise(call, transfer)
    return _settle(db, call, transfer, rules.next_state(TransferState(transfer.state), rules.Step.REJECT), reason)


def _authorise(call: Call, transfer: Transfer) -> None:
    call.authorise(place=transfer.place, missing=MISSING)
    rules.require_approver(call.actor.grants, TransferLevel(transfer.level), transfer.place)
    rules.require_other_hands(call.actor.account_id, transfer.requested_by, transfer.teacher_id)


def _require_as_asked(membership: Membership | None, transfer: Transfer, school: School) -> Membership:
    """The teacher is still where the request would fetch her, and both schools stand where they stood.

    Raises Conflict("org.transfer_overtaken").
    """
    if (
        membership is None
        or membership.school_id != transfer.from_school_id
        or (membership.state, Act.TRANSFER) not in membership_rules.TRANSITIONS
        or rules.place_above_both(membership.place, school.place) != transfer.place
    ):
        raise Conflict(OVERTAKEN)
    return membership


def _settle(db: Session, call: Call, transfer: Transfer, state: TransferState, reason: str) -> TransferView:
    before = transfer.state
    records.close(transfer, call, call.actor.key, state, reason)
    records.announce(db, transfer)
    records.record(db, call, transfer, before)
    return queries.get_view(db, transfer.transfer_id)
