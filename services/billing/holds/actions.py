"""Placing and lifting holds (`domain.md` §3.13), by the city centre and the district institution, one or many at once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session

from services.billing import queries as billing_queries
from services.billing.contract.holds import HOLD_CHANGED, HoldEvidence, HoldKind, HoldState, RowResult
from services.billing.holds import queries, rules
from services.billing.holds.models import Hold
from services.billing.holds.policy_file import policies
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound, ServiceError
from services.shared.ids import new_id

MISSING = "billing.hold_unknown"
# What follows in the same transaction once holds are lifted.
Afterwards = Callable[[Session, Call, Sequence[Hold]], None]


class PeriodNamed(Protocol):
    """What a hold says of the period that it came from."""

    period_id: Any
    title: Any


def place_hold(db: Session, call: Call, arguments: dict[str, Any]) -> Hold:
    """Hold a teacher of the own territory, named by account or by learner number.

    Raises NotFound for one who is unknown or elsewhere, NotAllowed for a kind that another institution keeps and for
    oneself, Conflict while such a hold is on her already.
    """
    kind = arguments["kind"]
    teacher_id, missing = _teacher(db, arguments)
    # Locked, so that two who press at once do not both find the counter as it was.
    placement = billing_queries.lock_placement(db, teacher_id)
    if placement is None:
        raise NotFound(missing)
    call.authorise(place=placement.place, missing=missing)
    rules.require_other_person(call.actor.account_id, teacher_id)
    place = rules.place_of_keeper(policies()[kind], call.actor.grants, placement.place)
    if queries.is_held(db, teacher_id, kind, place):
        raise Conflict("billing.hold_exists")
    hold = new_hold(db, teacher_id, kind, place, arguments["reason"], call.actor.key, call.now)
    announce(db, [hold])
    audit.record_many(db, call, [act_of(hold, "", hold.reason)])
    return hold


def new_hold(
    db: Session,
    teacher_id: uuid.UUID,
    kind: HoldKind,
    place: str,
    reason: str,
    placed_by: str,
    now: dt.datetime,
    period_id: uuid.UUID | None = None,
) -> Hold:
    """The next hold of this kind on a teacher whose placement is locked; the caller announces and records it."""
    hold = Hold(
        hold_id=new_id(),
        teacher_id=teacher_id,
        kind=kind,
        place=place,
        state=HoldState.ACTIVE,
        occurrence=rules.next_occurrence(queries.count_holds(db, teacher_id, kind)),
        period_id=period_id,
        version=1,
        reason=reason,
        placed_by=placed_by,
        placed_at=now,
        evidence="",
        lift_reason="",
    )
    db.add(hold)
    return hold


def lift_hold(
    db: Session, call: Call, afterwards: Afterwards, hold_id: uuid.UUID, evidence: Sequence[HoldEvidence], reason: str
) -> Hold:
    """Lift a hold against what has to be shown (W36).

    Raises NotFound outside the own territory, NotAllowed for another institution's and for oneself, Conflict for one that
    is lifted, InvalidInput when evidence is missing.
    """
    hold = queries.lock_hold(db, hold_id)
    act = _lift(call, hold, evidence, reason, collectively=False)
    assert hold is not None  # `_lift` refused it
    announce(db, [hold])
    audit.record_many(db, call, [act])
    afterwards(db, call, [hold])
    return hold


def lift_holds(
    db: Session, call: Call, afterwards: Afterwards, arguments: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
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
    announce(db, lifted)
    audit.record_many(db, call, acts)
    afterwards(db, call, lifted)
    return {"rows": rows}


def _teacher(db: Session, arguments: dict[str, Any]) -> tuple[uuid.UUID, str]:
    """Who is meant, and the code that one who is out of reach is refused with: the one of an unknown teacher."""
    if "learner_no" in arguments:
        return billing_queries.get_teacher(db, arguments["learner_no"]), "billing.learner_no_unknown"
    return arguments["teacher_id"], "billing.teacher_unknown"


def _lift(
    call: Call, hold: Hold | None, evidence: Sequence[HoldEvidence], reason: str, *, collectively: bool
) -> audit.Act:
    """Change one locked row and say what is to be recorded. Raises the refusal, and then nothing has changed."""
    if hold is None:
        raise NotFound(MISSING)
    call.authorise(place=hold.place, missing=MISSING)
    policy = policies()[HoldKind(hold.kind)]
    rules.require_keeper(policy, call.actor.grants, hold.place)
    rules.require_other_person(call.actor.account_id, hold.teacher_id)
    rules.require_active(HoldState(hold.state))
    rules.require_evidence(policy, hold.occurrence, evidence, collectively=collectively)
    before = hold.state
    hold.state, hold.evidence, hold.lift_reason = HoldState.LIFTED, ",".join(sorted(evidence)), reason
    hold.lifted_by, hold.lifted_at = call.actor.key, call.now
    hold.version += 1
    return act_of(hold, before, reason)


def act_of(hold: Hold, before: str, reason: str) -> audit.Act:
    after = {
        "state": str(hold.state),
        "kind": str(hold.kind),
        "occurrence": hold.occurrence,
        "hold_id": str(hold.hold_id),
        "evidence": hold.evidence,
    }
    return audit.Act(hold.teacher_id, hold.place, reason, before={"state": before} if before else {}, after=after)


def announce(db: Session, holds: Sequence[Hold]) -> None:
    db.flush()
    outbox.announce_many(db, HOLD_CHANGED, [(hold.hold_id, payload_of(hold)) for hold in holds])


def payload_of(hold: Hold) -> dict[str, Any]:
    """The hold as `billing.hold_changed` tells it."""
    return {
        "hold_id": str(hold.hold_id),
        "version": hold.version,
        "teacher_id": str(hold.teacher_id),
        "kind": str(hold.kind),
        "active": hold.state == HoldState.ACTIVE,
        "occurrence": hold.occurrence,
        "blocks": [str(each) for each in policies()[HoldKind(hold.kind)].blocks],
        "place_id": hold.place,
    }


def forget_reasons(db: Session, teacher_id: uuid.UUID) -> None:
    """Of an erased person no word that anybody wrote is left; that there were holds stays, under the id that leads to nobody."""
    for hold in queries.lock_holds_of_person(db, teacher_id):
        hold.reason, hold.lift_reason = "", ""
    db.flush()


def place_arrears(
    db: Session, owing: Collection[uuid.UUID], kind: HoldKind, place: str, period: PeriodNamed, by: Call
) -> list[Hold]:
    """Hold whoever owes an institution courses of a period, once per kind and institution."""
    placed = []
    for teacher_id in sorted(owing):
        # Locked, so that the counter of occurrences is read by one at a time.
        billing_queries.lock_placement(db, teacher_id)
        if not queries.is_held(db, teacher_id, kind, place):
            reason = f"{period.title}未缴费"
            placed.append(new_hold(db, teacher_id, kind, place, reason, by.actor.key, by.now, period.period_id))
    announce(db, placed)
    audit.record_many(db, by, [act_of(hold, "", hold.reason) for hold in placed])
    return placed


def end_arrears(db: Session, settled: Collection[uuid.UUID], kind: HoldKind, place: str, reason: str, by: Call) -> None:
    """End the arrears of those who owe the institution nothing any more. Nobody has to show anything for that."""
    ended = queries.lock_active_at(db, settled, kind, place)
    for hold in ended:
        hold.state, hold.lift_reason, hold.lifted_by, hold.lifted_at = HoldState.LIFTED, reason, by.actor.key, by.now
        hold.version += 1
    announce(db, ended)
    audit.record_many(db, by, [act_of(hold, HoldState.ACTIVE, reason) for hold in ended])
