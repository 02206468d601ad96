"""Freezing years, complaining about them, and correcting what a complaint was right about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits import bulk, schemes
from services.credits import queries as credit_queries
from services.credits.contract import verification as contract
from services.credits.contract.verification import ComplaintState, YearState
from services.credits.models import Placement
from services.credits.reversing import standing_awards, take_back
from services.credits.rules import ledger
from services.credits.rules.ledger import Entry
from services.credits.rules.pack import Per
from services.credits.schemes import Scheme
from services.credits.sources import conversion_ref, is_conversion
from services.credits.verification import queries, rules
from services.credits.verification.models import Complaint, YearClosing, YearVerification, YearVerificationHistory
from services.credits.verification.queries import Amount
from services.credits.verification.rules import Window
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id

BATCH = 500
# Who is verified, or moves in, after a year's closing is frozen by the next pass.
NEXT_PASS = dt.timedelta(hours=24)


# --- what a year comes to -------------------------------------------------------------------------------------------------


def scheme_of(place: str, year: int) -> Scheme:
    """Raises NotFound("credits.no_scheme") where nobody has adopted one."""
    scheme = schemes.find_scheme(place, year)
    if scheme is None:
        raise NotFound("credits.no_scheme")
    return scheme


def years_of(scheme: Scheme, year: int) -> list[int]:
    """The years of the cycle that `year` belongs to."""
    cycle = scheme.cycle_of(year)
    assert cycle is not None  # the scheme was found by the year
    return list(cycle)


def judge(scheme: Scheme, year: int, amounts: Sequence[Amount]) -> dict[str, Any]:
    """What the year and its cycle come to, as plain JSON, with the trace of every rule that changed a number.

    Amounts in another unit than the pack's (earned under another province's rules) are listed apart and not added until
    somebody converts them: conversion is an act, and never implied (`domain.md` §4.6).
    """
    pack = scheme.pack
    outcome = ledger.evaluate(pack, years_of(scheme, year), _entries(scheme, amounts))
    span = next(span for span in outcome.years if span.year == year)
    probation = outcome.probation
    return {
        "year": year,
        "scheme": scheme.scheme_id,
        "pack": {"id": pack.pack_id, "version": pack.version, "unit": pack.unit},
        "verification": {**ledger.shown_span(span), "required": rules.required(pack, Per.YEAR)},
        "cycle": {
            "years": years_of(scheme, year),
            **ledger.shown_span(outcome.cycle),
            "required": rules.required(pack, Per.CYCLE),
        },
        "probation": None
        if probation is None
        else {"hours": str(probation.hours), "required": str(probation.required), "met": probation.met},
        "not_converted": [
            {"source_ref": amount.source_ref, "year": amount.year, "unit": amount.unit, "amount": str(amount.amount)}
            for amount in not_converted(pack.unit, amounts)
        ],
        "trace": ledger.shown_steps(outcome.trace),
    }


def not_converted(unit: str, amounts: Sequence[Amount]) -> list[Amount]:
    """Amounts in another unit than `unit` for which no conversion into it stands; what was converted elsewhere is none."""
    counted = {amount.source_ref for amount in amounts if amount.unit == unit}
    return [
        amount
        for amount in amounts
        if amount.unit != unit
        and not amount.probation
        and not is_conversion(amount.source_ref)
        and conversion_ref(amount.source_ref) not in counted
    ]


def matrix(scheme: Scheme, year: int, amounts: Sequence[Amount], now: dt.datetime) -> dict[str, Any]:
    """The page of category by year of the cycle that `year` belongs to."""
    outcome = ledger.evaluate(scheme.pack, years_of(scheme, year), _entries(scheme, amounts))
    return {
        "scheme": scheme.scheme_id,
        "unit": scheme.pack.unit,
        "years": years_of(scheme, year),
        "rows": rules.matrix(scheme.pack, outcome, beijing_year(now)),
        "as_of": clock.format_instant(now),
    }


def beijing_year(now: dt.datetime) -> int:
    return now.astimezone(clock.BEIJING).year


def _entries(scheme: Scheme, amounts: Sequence[Amount]) -> list[Entry]:
    """What the pack judges: amounts in its own unit, and probation training, which has a count of its own."""
    inside = [amount for amount in amounts if amount.unit == scheme.pack.unit or amount.probation]
    return [_entry_of(scheme, amount) for amount in inside]


def _entry_of(scheme: Scheme, amount: Amount) -> Entry:
    label = str(getattr(amount, scheme.pack.dimension, ""))
    return Entry(amount.year, amount.unit, amount.amount, label, amount.probation)


# --- freezing ---------------------------------------------------------------------------------------------------------------


def due_closings(now: dt.datetime) -> list[tuple[Scheme, int]]:
    """(scheme, year) of each scheme's newest year whose closing day is over."""
    due = []
    for scheme in schemes.list_schemes():
        years = [year for cycle in scheme.cycles for year in cycle if scheme.closing_of(year) <= now]
        if years:
            due.append((scheme, max(years)))
    return due


def freeze_batch(db: Session, scheme: Scheme, year: int, now: dt.datetime) -> bool:
    """Freeze the next teachers of a closing; returns whether there may be more. It may die anywhere and goes on from there."""
    db.execute(
        insert(YearClosing)
        .values(scheme_id=scheme.scheme_id, year=year, frozen=0, begun_at=now)
        .on_conflict_do_nothing()
    )
    closing = queries.lock_closing(db, scheme.scheme_id, year)
    if closing is None:
        return False
    if closing.done_at is not None:
        if now < closing.done_at + NEXT_PASS:
            return False
        closing.done_at, closing.after_teacher = None, None
    if closing.after_teacher is None:
        # From here on the frozen ones are counted.
        queries.forget_open_totals(db, scheme.scheme_id, year)
    teachers = queries.list_teachers_of(db, scheme.place, closing.after_teacher, BATCH)
    # A county below may have adopted a scheme of its own.
    mine = [each for each in teachers if schemes.find_scheme(each.place, year) == scheme]
    closing.frozen += freeze_teachers(db, scheme, year, mine, now)
    if teachers:
        closing.after_teacher = teachers[-1].teacher_id
    if len(teachers) < BATCH:
        queries.forget_open_years(db, scheme.scheme_id, year)
        closing.done_at = now
        return False
    return True


def freeze_teachers(db: Session, scheme: Scheme, year: int, teachers: Sequence[Placement], now: dt.datetime) -> int:
    """Write the first snapshot of each teacher's year; returns how many were new."""
    ids = [each.teacher_id for each in teachers]
    # Under the year's lock nobody adds an entry that the snapshot would miss.
    credit_queries.lock_teacher_years(db, [(teacher_id, year) for teacher_id in ids])
    frozen = queries.list_frozen(db, ids, year)
    amounts = queries.list_amounts(db, ids, years_of(scheme, year), now)
    fresh = [each for each in teachers if each.teacher_id not in frozen]
    bodies = [
        _frozen_body(judge(scheme, year, amounts[each.teacher_id]), each.teacher_id, _school(each)) for each in fresh
    ]
    rows = [_snapshot(scheme, year, 1, YearState.FROZEN, body, now) for body in bodies]
    _write(db, rows)
    queries.add_totals(db, year, [(row["place"], row["met"]) for row in rows])
    return len(rows)


def refreeze(db: Session, held: YearVerification, placement: Placement, now: dt.datetime) -> YearVerification:
    """Freeze a year again after a correction; the snapshot before stays readable."""
    scheme = schemes.get_scheme(held.scheme_id)
    amounts = queries.list_amounts(db, [held.teacher_id], years_of(scheme, held.year), now)[held.teacher_id]
    # Where the teacher was when the year was frozen is where the year belongs.
    school = held.body.get("school") or _school(placement)
    body = _frozen_body(judge(scheme, held.year, amounts), held.teacher_id, school)
    row = _snapshot(scheme, held.year, held.version + 1, YearState.REFROZEN, body, now)
    _write(db, [row | {"place": held.place, "school_id": held.school_id}])
    queries.change_total(db, held.year, held.place, held.met, row["met"])
    db.refresh(held)
    return held


def _frozen_body(judged: dict[str, Any], teacher_id: uuid.UUID, school: dict[str, Any]) -> dict[str, Any]:
    """What the hash is of: also whose figures they are, and at which school, for a sheet of paper says so."""
    return {"teacher_id": str(teacher_id), "school": school, **judged}


def _school(placement: Placement) -> dict[str, Any]:
    school_id = str(placement.school_id) if placement.school_id else None
    return {"school_id": school_id, "name": placement.school_name, "place": placement.place}


def _snapshot(
    scheme: Scheme, year: int, version: int, state: YearState, body: dict[str, Any], now: dt.datetime
) -> dict[str, Any]:
    return {
        "teacher_id": uuid.UUID(body["teacher_id"]),
        "year": year,
        "version": version,
        "state": state,
        "scheme_id": scheme.scheme_id,
        "place": body["school"]["place"],
        "school_id": uuid.UUID(body["school"]["school_id"]) if body["school"]["school_id"] else None,
        "met": body["verification"]["met"],
        "body": body,
        "hash": rules.snapshot_hash(body),
        "frozen_at": now,
    }


def _write(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(YearVerification)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in ("teacher_id", "year")}
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["teacher_id", "year"],
            set_=changed,
            where=YearVerification.version < statement.excluded.version,
        ),
        list(rows),
    )
    db.execute(sa.insert(YearVerificationHistory), list(rows))
    outbox.announce_many(
        db,
        contract.YEAR_FROZEN,
        [
            (
                row["teacher_id"],
                {
                    "teacher_id": str(row["teacher_id"]),
                    "year": row["year"],
                    "version": row["version"],
                    "met": row["met"],
                },
            )
            for row in rows
        ],
    )


def require_open_year(db: Session, teacher_id: uuid.UUID, year: int) -> None:
    """Raises Conflict("credits.year_frozen"). The caller holds the year's lock, or asks again under it."""
    if queries.is_frozen(db, teacher_id, year):
        raise Conflict("credits.year_frozen")


# --- complaints ---------------------------------------------------------------------------------------------------------------


def file_complaint(db: Session, call: Call, given: dict[str, Any]) -> Complaint:
    """Complain about the own year. Raises Conflict outside the window, and while another complaint about it is open."""
    teacher_id = call.authorise_own()
    held = queries.find_verification(db, teacher_id, given["year"])
    if held is None or _window(held, call.now) is not Window.COMPLAINTS:
        raise Conflict("credits.complaint_window")
    if queries.find_open_complaint(db, teacher_id, given["year"]) is not None:
        raise Conflict("credits.complaint_open")
    complaint = Complaint(
        complaint_id=new_id(),
        teacher_id=teacher_id,
        year=given["year"],
        about=given["about"],
        text=given["text"],
        state=ComplaintState.FILED,
        version=1,
        handler=None,
        accepted=None,
        reply="",
        reopened=False,
        filed_at=call.now,
        changed_at=call.now,
    )
    db.add(complaint)
    db.flush()
    return complaint


def assign_complaint(db: Session, call: Call, complaint_id: uuid.UUID) -> Complaint:
    """The caller takes it on."""
    complaint = _handled(db, call, complaint_id)
    before = complaint.state
    _move(db, call, complaint, rules.ComplaintAct.ASSIGN)
    complaint.handler = call.actor.account_id
    _record(db, call, complaint, before)
    return complaint


def answer_complaint(
    db: Session,
    call: Call,
    complaint_id: uuid.UUID,
    accepted: bool,
    reply: str,
    corrections: Sequence[dict[str, Any]],
) -> Complaint:
    """Answer it; what it was right about is corrected by entries of the ledger, and the year is frozen again."""
    complaint = _handled(db, call, complaint_id)
    before = complaint.state
    _move(db, call, complaint, rules.ComplaintAct.ANSWER)
    if complaint.handler != call.actor.account_id:
        raise NotAllowed("credits.complaint_state")
    complaint.accepted, complaint.reply = accepted, reply
    if corrections:
        _correct(db, call, complaint, corrections)
    _record(db, call, complaint, before, reply)
    return complaint


def close_complaint(db: Session, call: Call, complaint_id: uuid.UUID) -> Complaint:
    complaint = _own(db, call, complaint_id)
    _move(db, call, complaint, rules.ComplaintAct.CLOSE)
    db.flush()
    return complaint


def reopen_complaint(db: Session, call: Call, complaint_id: uuid.UUID, text: str) -> Complaint:
    """Once, while the window is open: somebody else may take it on."""
    complaint = _own(db, call, complaint_id)
    if complaint.reopened:
        raise Conflict("credits.complaint_reopened")
    held = queries.find_verification(db, complaint.teacher_id, complaint.year)
    if held is None or _window(held, call.now) is not Window.COMPLAINTS:
        raise Conflict("credits.complaint_window")
    _move(db, call, complaint, rules.ComplaintAct.REOPEN)
    complaint.reopened, complaint.handler, complaint.accepted = True, None, None
    complaint.text = f"{complaint.text}\n\n{text}"
    db.flush()
    return complaint


def _correct(db: Session, call: Call, complaint: Complaint, corrections: Sequence[dict[str, Any]]) -> None:
    placement = queries.find_placement(db, complaint.teacher_id)
    held = queries.find_verification(db, complaint.teacher_id, complaint.year)
    if placement is None or held is None:
        raise NotFound("credits.no_scheme")
    credit_queries.lock_teacher_years(db, [(complaint.teacher_id, complaint.year)])
    db.flush()
    entries: list[dict[str, Any]] = []
    for index, each in enumerate(corrections):
        if "reverse_entry_id" in each:
            entries += _reversing(db, call, complaint, each["reverse_entry_id"])
        else:
            entries.append(_adding(call, complaint, placement, held, index, each))
    if bulk.append_entries(db, entries) != len(entries):
        raise Conflict("credits.entry_reversed")
    refreeze(db, held, placement, call.now)


def _reversing(db: Session, call: Call, complaint: Complaint, entry_id: uuid.UUID) -> list[dict[str, Any]]:
    award = queries.get_entry(db, complaint.teacher_id, entry_id)
    if award.year != complaint.year or award.amount < 0:
        raise NotFound("credits.entry_unknown")
    if entry_id not in {each.entry_id for each in standing_awards(db, complaint.teacher_id, award.source_ref)}:
        raise Conflict("credits.entry_reversed")
    return take_back(db, award, f"complaint:{complaint.complaint_id}: {complaint.reply}", call.now, call.actor.key)


def _adding(
    call: Call,
    complaint: Complaint,
    placement: Placement,
    held: YearVerification,
    index: int,
    given: dict[str, Any],
) -> dict[str, Any]:
    scheme = schemes.get_scheme(held.scheme_id)
    dimension = scheme.pack.dimension
    if (label := given.get(dimension)) and label not in scheme.pack.categories:
        # It would count in the total and in no category, for ever.
        raise InvalidInput("credits.category_unknown", f"corrections.{index}.{dimension}")
    return {
        "teacher_id": complaint.teacher_id,
        "entry_id": new_id(),
        "source_ref": f"complaint:{complaint.complaint_id}:{complaint.version}:{index}",
        "turn": 1,
        "rule_id": "CORRECTED",
        "evidence_version": complaint.version,
        "source_kind": "CORRECTION",
        "programme_id": None,
        "unit": scheme.pack.unit,
        "amount": Decimal(given["amount"]),
        "hour_type": given.get("hour_type", ""),
        "training_form": given.get("training_form", ""),
        "year": complaint.year,
        "effective_on": dt.date(complaint.year, 12, 31),
        "recorded_at": call.now,
        "school_id": held.school_id,
        "place": held.place,
        "pack_id": scheme.pack.pack_id,
        "pack_version": scheme.pack.version,
        "why": f"complaint:{complaint.complaint_id}: {complaint.reply}",
        "reversal_of": None,
        "recognised_by": call.actor.key,
        "recognised_at": placement.place,
    }


def _handled(db: Session, call: Call, complaint_id: uuid.UUID) -> Complaint:
    complaint = queries.lock_complaint(db, complaint_id)
    call.authorise(place=credit_queries.find_place(db, complaint.teacher_id) or "", missing=queries.MISSING)
    if complaint.teacher_id == call.actor.account_id:
        raise NotAllowed("credits.complaint_own")
    return complaint


def _own(db: Session, call: Call, complaint_id: uuid.UUID) -> Complaint:
    complaint = queries.lock_complaint(db, complaint_id)
    call.authorise(subject=complaint.teacher_id, missing=queries.MISSING)
    return complaint


def _window(held: YearVerification, now: dt.datetime) -> Window:
    scheme = schemes.get_scheme(held.scheme_id)
    return rules.window_of(scheme.closing_of(held.year), scheme.complaints_until(held.year), now)


def shown_state(held: YearVerification | None, scheme: Scheme, year: int, now: dt.datetime) -> YearState:
    """The state that is shown of a year."""
    window = rules.window_of(scheme.closing_of(year), scheme.complaints_until(year), now)
    return rules.state_of(YearState(held.state) if held else None, window)


def _move(db: Session, call: Call, complaint: Complaint, act: rules.ComplaintAct) -> None:
    complaint.state = rules.next_complaint_state(ComplaintState(complaint.state), act)
    complaint.version += 1
    complaint.changed_at = call.now
    payload = {
        "complaint_id": str(complaint.complaint_id),
        "teacher_id": str(complaint.teacher_id),
        "version": complaint.version,
        "state": str(complaint.state),
    }
    outbox.announce(db, contract.COMPLAINT_CHANGED, complaint.complaint_id, payload)


def _record(db: Session, call: Call, complaint: Complaint, before: str, reason: str = "") -> None:
    db.flush()
    audit.record(
        db,
        call,
        subject=complaint.teacher_id,
        place=credit_queries.find_place(db, complaint.teacher_id) or "",
        reason=reason,
        before={"state": str(before)},
        after={
            "state": str(complaint.state),
            "complaint_id": str(complaint.complaint_id),
            "accepted": complaint.accepted,
        },
    )
