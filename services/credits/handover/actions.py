"""Handing a season's hours over to the local register, and taking them back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from services.credits import bulk, judgement, queries, schemes
from services.credits.contract.handovers import HandoverState, HeldReason
from services.credits.handover import queries as handovers
from services.credits.handover.models import Handover
from services.credits.models import Placement, Programme
from services.credits.reversing import next_turn, standing_awards, take_back
from services.credits.rules import ledger
from services.credits.rules.pack import Kind as PackKind
from services.credits.rules.pack import LedgerRule
from services.credits.schemes import Scheme
from services.credits.verification import queries as verification
from services.shared import audit, ids
from services.shared.actor import covers
from services.shared.bus import Call, NotYet

log = structlog.get_logger(__name__)
SOURCE_KIND = "HANDOVER"


def source_ref(certificate_id: uuid.UUID) -> str:
    return f"handover:{certificate_id}"


def hand_over(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """A certificate was issued: its season's hours enter the register of the place where the teacher is now, once.

    Only by that place's HANDOVER rule for the season; without one nothing happens and nothing is kept. The hours belong to
    the year in which the season ended. A frozen year takes nothing: then the hand-over is held, for people to decide.
    A certificate that replaces another one takes back what that one brought, and enters under the next turn of the same
    source. Raises NotYet while the programme is on its way.
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
    written = queries.sum_ledger(db, [(teacher_id, programme_id)]).get((teacher_id, programme_id), {})
    hours = sum((each.amount for each in written.values()), Decimal(0))
    handover = db.get(Handover, certificate_id, populate_existing=True)
    if handover is None and not hours:
        log.warning("handover_without_hours", certificate_id=str(certificate_id))
        return
    if handover is None:
        handover = Handover(
            certificate_id=certificate_id,
            teacher_id=teacher_id,
            programme_id=programme_id,
            number="",
            year=year,
            hours=hours,
            state=HandoverState.HELD,
            reason=HeldReason.NUMBER_UNKNOWN,
            recorded_at=now,
            changed_at=now,
        )
        db.add(handover)
    if handover.state != HandoverState.HELD:
        return
    handover.number = payload.get("number", "") or handover.number
    reason = _why_held(db, handover)
    if not reason:
        _enter(db, handover, programme, placement, scheme, rule, now)
    elif reason != handover.reason:
        handover.reason, handover.changed_at = reason, now
    db.flush()


def _enter(
    db: Session,
    handover: Handover,
    programme: Programme,
    placement: Placement,
    scheme: Scheme,
    rule: LedgerRule,
    now: dt.datetime,
) -> None:
    db.flush()
    earlier = find_earlier(db, handover)
    for each in earlier:
        if each.state == HandoverState.ENTERED:
            _reverse(db, each, f"replaced by certificate {handover.number}", now)
        elif each.state == HandoverState.HELD:
            _end(each, now)
    source = _source_of(handover, earlier)
    turn = next_turn(db, handover.teacher_id, source)
    bulk.append_entries(db, [_entry(handover, source, turn, programme, placement, scheme, rule, now)])
    handover.state, handover.reason, handover.changed_at = HandoverState.ENTERED, "", now


def find_earlier(db: Session, handover: Handover) -> list[Handover]:
    """What other certificates of the same teacher and programme brought, the oldest first."""
    return list(
        db.scalars(
            sa.select(Handover)
            .where(
                Handover.teacher_id == handover.teacher_id,
                Handover.programme_id == handover.programme_id,
                Handover.certificate_id != handover.certificate_id,
            )
            .order_by(Handover.recorded_at, Handover.certificate_id)
        )
    )


def _source_of(handover: Handover, others: Sequence[Handover]) -> str:
    """All certificates of one teacher's programme are one source, named by the first: their turns stand together."""
    first = min([handover, *others], key=lambda each: (each.recorded_at, each.certificate_id))
    return source_ref(first.certificate_id)


def _why_held(db: Session, handover: Handover) -> str:
    if not handover.number:
        return HeldReason.NUMBER_UNKNOWN
    return HeldReason.YEAR_FROZEN if verification.is_frozen(db, handover.teacher_id, handover.year) else ""


def _entry(
    handover: Handover,
    source: str,
    turn: int,
    programme: Programme,
    placement: Placement,
    scheme: Scheme,
    rule: LedgerRule,
    now: dt.datetime,
) -> dict[str, Any]:
    amount, step = ledger.convert(scheme.pack, "HOUR", handover.hours)
    told = f"{rule.rule_id}: {handover.hours} hours of {programme.code} by certificate {handover.number}"
    return {
        "teacher_id": handover.teacher_id,
        "entry_id": ids.new_id(),
        "rule_id": rule.rule_id,
        "source_ref": source,
        "turn": turn,
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


def revoke(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """The teacher's certificate of a programme was revoked: whatever its editions brought is taken back.

    All editions, for the news of the last one may still be on their way; they will be old news then.
    """
    of_it = (
        Handover.teacher_id == uuid.UUID(payload["teacher_id"]),
        Handover.programme_id == uuid.UUID(payload["programme_id"]),
    )
    for certificate_id in db.scalars(sa.select(Handover.certificate_id).where(*of_it)).all():
        take_back_handover(db, certificate_id, f"certificate {payload['number']} was revoked", now)


def take_back_handover(db: Session, certificate_id: uuid.UUID, why: str, now: dt.datetime) -> None:
    """What a certificate brought is taken back by an entry that names it, exactly and once.

    What was never entered is no longer waiting; in a year that has been frozen meanwhile the entry stands, and people
    must decide.
    """
    handover = db.get(Handover, certificate_id)
    if handover is None:
        return
    queries.lock_teacher_years(db, [(handover.teacher_id, handover.year)])
    db.refresh(handover)
    if handover.state == HandoverState.HELD:
        _end(handover, now)
    elif handover.state == HandoverState.ENTERED and verification.is_frozen(db, handover.teacher_id, handover.year):
        handover.state, handover.reason, handover.changed_at = HandoverState.HELD_BACK, HeldReason.YEAR_FROZEN, now
    elif handover.state == HandoverState.ENTERED:
        _reverse(db, handover, why, now)
    db.flush()


def _reverse(db: Session, handover: Handover, why: str, now: dt.datetime) -> None:
    source = _source_of(handover, find_earlier(db, handover))
    standing = standing_awards(db, handover.teacher_id, source)
    bulk.append_entries(db, take_back(db, standing[-1], f"taken back: {why}", now))
    _end(handover, now)


def _end(handover: Handover, now: dt.datetime) -> None:
    handover.state, handover.reason, handover.changed_at = HandoverState.TAKEN_BACK, "", now


@dataclasses.dataclass(frozen=True)
class Settled:
    """What became of one batch of certificates; `next` leads to the following one."""

    entered: int
    held: int
    next: uuid.UUID | None


def settle(db: Session, call: Call, place: str, after: uuid.UUID | None, limit: int) -> Settled:
    """Try again what is held at a place, and hand over what its rules ask for since then; doing it twice changes nothing."""
    seasons = {
        season
        for scheme in schemes.list_schemes()
        if covers(scheme.place, place) or covers(place, scheme.place)
        for rule in scheme.pack.of_kind(PackKind.HANDOVER)
        for season in rule.seasons
    }
    if not seasons:
        return Settled(0, 0, None)
    waiting = handovers.list_waiting(db, place, seasons, after, limit)
    before = handovers.list_states(db, [row.certificate_id for row in waiting])
    for row in waiting:
        payload = {name: str(getattr(row, name)) for name in ("certificate_id", "teacher_id", "programme_id", "number")}
        hand_over(db, payload, call.now)
    states = handovers.list_states(db, [row.certificate_id for row in waiting])
    entered = {each for each, state in states.items() if state == HandoverState.ENTERED and before.get(each) != state}
    held = sum(state == HandoverState.HELD for state in states.values())
    audit.record_many(
        db,
        call,
        [
            audit.Act(row.teacher_id, row.place, after={"certificate_id": str(row.certificate_id), "state": "ENTERED"})
            for row in waiting
            if row.certificate_id in entered
        ],
    )
    return Settled(len(entered), held, waiting[-1].teacher_id if len(waiting) >= limit else None)
