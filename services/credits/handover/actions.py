"""Handing a season's hours over to the local register, and taking them back."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy.orm import Session

from services.credits import bulk, judgement, queries, schemes
from services.credits.contract.handovers import HandoverState, HeldReason
from services.credits.handover.models import Handover
from services.credits.models import Placement, Programme
from services.credits.rules import ledger
from services.credits.rules.pack import LedgerRule
from services.credits.schemes import Scheme
from services.credits.verification import queries as verification
from services.shared import ids
from services.shared.bus import NotYet

log = structlog.get_logger(__name__)
SOURCE_KIND = "HANDOVER"


def source_ref(certificate_id: uuid.UUID) -> str:
    return f"handover:{certificate_id}"


def hand_over(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """A certificate was issued: its season's hours enter the register of the place where the teacher is now, once.

    Only by that place's HANDOVER rule for the season; without one nothing happens and nothing is kept. The hours belong to
    the year in which the season ended. A frozen year takes nothing: then the hand-over is held, for people to decide.
    Raises NotYet while the programme is on its way.
    """
    certificate_id, teacher_id = uuid.UUID(payload["certificate_id"]), uuid.UUID(payload["teacher_id"])
    programme_id = uuid.UUID(payload["programme_id"])
    programme = queries.find_programmes(db, {programme_id}).get(programme_id)
    if programme is None:
        raise NotYet("the programme")
    placement = db.get(Placement, teacher_id)
    year = judgement.last_day_of(programme).year
    scheme = schemes.find_scheme(placement.place, year) if placement else None
    rule = scheme.pack.handover_of(programme.rule_pack) if scheme else None
    if placement is None or scheme is None or rule is None:
        return
    queries.lock_teacher_years(db, [(teacher_id, year)])
    if db.get(Handover, certificate_id) is not None:
        return
    written = queries.sum_ledger(db, [(teacher_id, programme_id)]).get((teacher_id, programme_id), {})
    hours = sum((each.amount for each in written.values()), Decimal(0))
    if not hours:
        log.warning("handover_without_hours", certificate_id=str(certificate_id))
        return
    handover = Handover(
        certificate_id=certificate_id,
        teacher_id=teacher_id,
        programme_id=programme_id,
        number=payload.get("number", ""),
        year=year,
        hours=hours,
        state=HandoverState.HELD,
        reason=_why_held(db, teacher_id, year, payload),
        recorded_at=now,
        changed_at=now,
    )
    if not handover.reason:
        handover.state = HandoverState.ENTERED
        bulk.append_entries(db, [_entry(handover, programme, placement, scheme, rule, now)])
    db.add(handover)
    db.flush()


def _why_held(db: Session, teacher_id: uuid.UUID, year: int, payload: dict[str, Any]) -> str:
    if not payload.get("number"):
        return HeldReason.NUMBER_UNKNOWN
    return HeldReason.YEAR_FROZEN if verification.is_frozen(db, teacher_id, year) else ""


def _entry(
    handover: Handover, programme: Programme, placement: Placement, scheme: Scheme, rule: LedgerRule, now: dt.datetime
) -> dict[str, Any]:
    amount, step = ledger.convert(scheme.pack, "HOUR", handover.hours)
    told = f"{rule.rule_id}: {handover.hours} hours of {programme.code} by certificate {handover.number}"
    return {
        "teacher_id": handover.teacher_id,
        "entry_id": ids.new_id(),
        "rule_id": rule.rule_id,
        "source_ref": source_ref(handover.certificate_id),
        "turn": 1,
        "evidence_version": 1,
        "source_kind": SOURCE_KIND,
        # None: the programme's own hours are another count, and are never added to these.
        "programme_id": None,
        "unit": scheme.pack.unit,
        "amount": amount,
        "hour_type": rule.hour_type,
        "training_form": rule.training_form,
        "year": handover.year,
        "effective_on": judgement.last_day_of(programme),
        "recorded_at": now,
        "school_id": placement.school_id,
        "place": placement.place,
        "pack_id": scheme.pack.pack_id,
        "pack_version": scheme.pack.version,
        "why": f"{told}; {step.rule_id}: {step.before} -> {step.after}, {step.why}" if step else told,
        "reversal_of": None,
        "recognised_by": "",
        "recognised_at": "",
    }


def take_back(db: Session, certificate_id: uuid.UUID, why: str, now: dt.datetime) -> None:
    """The certificate was revoked: what it brought is taken back by an entry that names it, exactly and once.

    To be called by whoever consumes the news of a revocation, in its transaction; certs announces none yet. What was never
    entered is no longer waiting; in a year that has been frozen meanwhile the entry stands, and people must decide.
    """
    handover = db.get(Handover, certificate_id)
    if handover is None:
        return
    queries.lock_teacher_years(db, [(handover.teacher_id, handover.year)])
    db.refresh(handover)
    if handover.state not in (HandoverState.ENTERED, HandoverState.HELD):
        return
    if handover.state == HandoverState.HELD:
        handover.state, handover.reason = HandoverState.TAKEN_BACK, ""
    elif verification.is_frozen(db, handover.teacher_id, handover.year):
        handover.state, handover.reason = HandoverState.HELD_BACK, HeldReason.YEAR_FROZEN
    else:
        changes = queries.list_entries_of_source(db, handover.teacher_id, source_ref(certificate_id))
        taken_back = bulk.reversal(changes[0], changes[-1].turn + 1, f"taken back: {why}", now)
        bulk.append_entries(db, [taken_back])
        handover.state = HandoverState.TAKEN_BACK
    handover.changed_at = now
    db.flush()
