"""Placing and lifting holds (`domain.md` §3.13): the city centre's and the district institution's answer until billing's own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.contract.staffing import RowResult
from services.org.contract.transfers import HOLD_CHANGED, HoldEvidence, HoldKind, HoldState
from services.org.rules.membership import require_other_person
from services.org.transfers import queries
from services.org.transfers.models import Hold
from services.org.transfers.rules import holds as rules
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound, ServiceError
from services.shared.ids import new_id

MISSING = "org.hold_unknown"


def place_hold(db: Session, call: Call, arguments: dict[str, Any]) -> Hold:
    """Hold a teacher of the own territory, named by account or by learner number.

    Raises NotFound for one who is unknown or elsewhere, NotAllowed for a kind that another institution keeps and for
    oneself, Conflict while such a hold is on her already.
    """
    kind = arguments["kind"]
    teacher_id, missing = _teacher(db, arguments)
    # Locked, so that two who press at once do not both find the counter as it was.
    membership = org_queries.lock_membership(db, teacher_id)
    if membership is None:
        raise NotFound(missing)
    call.authorise(place=membership.place, missing=missing)
    require_other_person(call.actor.account_id, teacher_id)
    place = rules.place_of_keeper(call.actor.grants, kind, membership.place)
    if kind in queries.find_holds(db, teacher_id):
        raise Conflict("org.hold_exists")
    hold = Hold(
        hold_id=new_id(),
        teacher_id=teacher_id,
        kind=kind,
        place=place,
        state=HoldState.ACTIVE,
        occurrence=rules.next_occurrence(queries.count_holds(db, teacher_id, kind)),
        version=1,
        reason=arguments["reason"],
        placed_by=call.actor.key,
        placed_at=call.now,
        evidence="",
        lift_reason="",
    )
    db.add(hold)
    _announce(db, [hold])
    audit.record_many(db, call, [_act(hold, "", hold.reason)])
    return hold


def lift_hold(db: Session, call: Call, hold_id: uuid.UUID, evidence: Sequence[HoldEvidence], reason: str) -> Hold:
    """Lift a hold against what has to be shown (W36).

    Raises NotFound outside the own territory, NotAllowed for another institution's and for oneself, Conflict for one that
    is lifted, InvalidInput when evidence is missing.
    """
    hold = queries.lock_hold(db, hold_id)
    act = _lift(call, hold, evidence, reason, collectively=False)
    assert hold is not None  # `_lift` refused it
    _announce(db, [hold])
    audit.record_many(db, call, [act])
    return hold


def lift_holds(db: Session, call: Call, arguments: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """A school clears many special users at once with its own papers: a staff member's ID and a stamped application.

    Each hold has an outcome of its own.
    """
    territory = call.actor.places(call.policy.roles)
    call.authorise(place=territory[0] if territory else None)
    present = queries.lock_holds(db, arguments["hold_ids"])
    reason = " · ".join(arguments[part] for part in ("period", "course", "reason"))
    lifted: list[Hold] = []
    acts: list[audit.Act] = []
    rows = []
    for hold_id in arguments["hold_ids"]:
        outcome, code = RowResult.DONE, ""
        try:
            hold = present.get(hold_id)
            acts.append(_lift(call, hold, arguments["evidence"], reason, collectively=True))
            assert hold is not None  # `_lift` refused it
            lifted.append(hold)
        except ServiceError as error:
            outcome, code = RowResult.REFUSED, error.code
        rows.append({"hold_id": hold_id, "outcome": outcome, "code": code})
    _announce(db, lifted)
    audit.record_many(db, call, acts)
    return {"rows": rows}


def _teacher(db: Session, arguments: dict[str, Any]) -> tuple[uuid.UUID, str]:
    """Who is meant, and the code that one who is out of reach is refused with: the one of an unknown teacher."""
    if "learner_no" in arguments:
        return queries.get_teacher(db, arguments["learner_no"]), "org.learner_no_unknown"
    return arguments["teacher_id"], "org.membership_unknown"


def _lift(
    call: Call, hold: Hold | None, evidence: Sequence[HoldEvidence], reason: str, *, collectively: bool
) -> audit.Act:
    """Change one locked row and say what is to be recorded. Raises the refusal, and then nothing has changed."""
    if hold is None:
        raise NotFound(MISSING)
    call.authorise(place=hold.place, missing=MISSING)
    kind = HoldKind(hold.kind)
    rules.require_keeper(call.actor.grants, kind, hold.place)
    require_other_person(call.actor.account_id, hold.teacher_id)
    rules.require_active(HoldState(hold.state))
    rules.require_evidence(kind, hold.occurrence, evidence, collectively=collectively)
    before = hold.state
    hold.state, hold.evidence, hold.lift_reason = HoldState.LIFTED, ",".join(sorted(evidence)), reason
    hold.lifted_by, hold.lifted_at = call.actor.key, call.now
    hold.version += 1
    return _act(hold, before, reason)


def _act(hold: Hold, before: str, reason: str) -> audit.Act:
    after = {
        "state": str(hold.state),
        "kind": str(hold.kind),
        "occurrence": hold.occurrence,
        "hold_id": str(hold.hold_id),
        "evidence": hold.evidence,
    }
    return audit.Act(hold.teacher_id, hold.place, reason, before={"state": before} if before else {}, after=after)


def _announce(db: Session, holds: Sequence[Hold]) -> None:
    db.flush()
    outbox.announce_many(db, HOLD_CHANGED, [(hold.hold_id, payload_of(hold)) for hold in holds])


def payload_of(hold: Hold) -> dict[str, Any]:
    """The hold as `org.hold_changed` tells it."""
    return {
        "hold_id": str(hold.hold_id),
        "version": hold.version,
        "teacher_id": str(hold.teacher_id),
        "kind": str(hold.kind),
        "state": str(hold.state),
        "occurrence": hold.occurrence,
        "place": hold.place,
    }
