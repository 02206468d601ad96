"""Asking for a teacher by learner number, looking first, and taking the request back (`domain.md` §3.3)."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions.memberships import state_of
from services.org.contract import SchoolState
from services.org.contract.transfers import TransferLevel, TransferState
from services.org.models import Membership, School
from services.org.rules import membership as membership_rules
from services.org.rules import schools as school_rules
from services.org.transfers import queries
from services.org.transfers.actions import records
from services.org.transfers.models import Transfer
from services.org.transfers.queries import TransferView
from services.org.transfers.rules import transfer as rules
from services.shared.bus import Call
from services.shared.errors import Conflict, ServiceError
from services.shared.ids import new_id

OVERTAKEN = "org.transfer_overtaken"
MISSING = "org.transfer_unknown"


@dataclasses.dataclass(frozen=True)
class Preview:
    """What a request would meet: where the teacher is, who would decide, and what stands in the way ("" for nothing)."""

    school_id: uuid.UUID
    school_name: str
    employment: str
    level: TransferLevel | None
    refusal: str


def preview_transfer(
    db: Session, call: Call, holds: Sequence[rules.Held], school_id: uuid.UUID, learner_no: str
) -> Preview:
    """Whom the number belongs to, before asking. Raises NotFound for a number that nobody has."""
    school = _receiving(db, call, school_id)
    membership = db.get(Membership, queries.get_teacher(db, learner_no))
    if membership is None:
        raise Conflict("org.transfer_unverified", "learner_no")
    present = org_queries.get_school(db, membership.school_id)
    refusal, level = "", None
    try:
        _require_transferable(holds, membership, school)
        _require_none_open(db, membership)
        level = _seat(db, membership.place, school.place)[1]
    except ServiceError as error:
        refusal = error.code
    return Preview(present.school_id, present.name, membership.employment, level, refusal)


def request_transfer(
    db: Session, call: Call, holds: Sequence[rules.Held], school_id: uuid.UUID, learner_no: str, note: str
) -> TransferView:
    """The receiving school asks for a teacher; whoever stands above both schools decides.

    Raises NotFound for a school outside the caller's reach and for an unknown number (then "add teacher" is right, S3:166),
    Conflict for a teacher of the same school, one who is not verified, a special user, one in arrears (S3:167), and while
    another request for her waits.
    """
    school = _receiving(db, call, school_id)
    teacher_id = queries.get_teacher(db, learner_no)
    membership = org_queries.lock_membership(db, teacher_id)
    if membership is None:
        raise Conflict("org.transfer_unverified", "learner_no")
    _require_transferable(holds, membership, school)
    _require_none_open(db, membership)
    _end_overtaken(db, call, membership)
    place, level = _seat(db, membership.place, school.place)
    transfer = Transfer(
        transfer_id=new_id(),
        teacher_id=teacher_id,
        from_school_id=membership.school_id,
        from_place=membership.place,
        to_school_id=school.school_id,
        to_place=school.place,
        place=place,
        level=level,
        state=TransferState.PENDING,
        version=1,
        note=note,
        requested_by=call.actor.key,
        requested_at=call.now,
        reason="",
    )
    db.add(transfer)
    records.announce(db, transfer)
    records.record(db, call, transfer, "")
    return queries.get_view(db, transfer.transfer_id)


def withdraw_transfer(db: Session, call: Call, transfer_id: uuid.UUID, reason: str) -> TransferView:
    """The receiving school takes its request back. Raises NotFound for another's, Conflict once it is decided."""
    transfer = queries.lock_transfer(db, transfer_id)
    call.authorise(place=transfer.to_place, missing=MISSING)
    before = transfer.state
    state = rules.next_state(TransferState(before), rules.Step.WITHDRAW)
    records.close(transfer, call, call.actor.key, state, reason)
    records.announce(db, transfer)
    records.record(db, call, transfer, before)
    return queries.get_view(db, transfer_id)


def _receiving(db: Session, call: Call, school_id: uuid.UUID) -> School:
    school = org_queries.get_school(db, school_id)
    call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
    school_rules.require_open(SchoolState(school.state))
    return school


def _require_transferable(holds: Sequence[rules.Held], membership: Membership, school: School) -> None:
    rules.require_other_school(membership.school_id, school.school_id)
    state = state_of(membership)
    membership_rules.next_state(state, membership_rules.Act.TRANSFER)
    rules.require_no_holds(holds)


def _require_none_open(db: Session, membership: Membership) -> None:
    """A request that was overtaken (she is no longer where it would fetch her) stands in nobody's way."""
    for transfer in queries.list_open_transfers(db, membership.teacher_id):
        if transfer.from_school_id == membership.school_id:
            raise Conflict("org.transfer_open")


def _end_overtaken(db: Session, call: Call, membership: Membership) -> None:
    for transfer in queries.lock_open_transfers(db, [membership.teacher_id]):
        end(db, call, transfer, OVERTAKEN)


def end(db: Session, call: Call, transfer: Transfer, reason: str) -> None:
    """End a waiting request that nobody can decide any more."""
    before = transfer.state
    records.close(transfer, call, call.actor.key, TransferState.WITHDRAWN, reason)
    records.announce(db, transfer)
    records.record(db, call, transfer, before)


def _seat(db: Session, one: str, other: str) -> tuple[str, TransferLevel]:
    """Where a transfer between two schools is decided, and at which level."""
    place = rules.place_above_both(one, other)
    return place, rules.level_at(org_queries.get_target(db, place).level)
