"""Selects of verification."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits.contract.verification import ComplaintState
from services.credits.models import LedgerEntry, Placement
from services.credits.verification.models import Complaint, YearClosing, YearTotal, YearVerification
from services.shared.errors import NotFound
from services.shared.placement import at_or_below, is_below

MISSING = "credits.complaint_unknown"


@dataclasses.dataclass(frozen=True)
class Amount:
    """What one source comes to in one year, all its corrections included."""

    year: int
    source_ref: str
    unit: str
    amount: Decimal
    hour_type: str
    training_form: str
    probation: bool


def list_amounts(
    db: Session, teacher_ids: Collection[uuid.UUID], years: Collection[int], as_of: dt.datetime
) -> dict[uuid.UUID, list[Amount]]:
    """What counts locally, by teacher: all entries recorded by `as_of` but those of national seasons, source by source.

    Hours of a season enter a local register only when they are handed over, as an entry of its own.
    """
    entry = LedgerEntry
    key = (entry.teacher_id, entry.year, entry.source_ref, entry.unit, entry.hour_type, entry.training_form)
    rows = db.execute(
        sa.select(
            *key,
            sa.func.sum(entry.amount).label("amount"),
            sa.func.bool_or(entry.source_kind == "PROBATION").label("probation"),
        )
        .where(
            _is_one_of(entry.teacher_id, teacher_ids),
            entry.year.in_(years),
            entry.recorded_at <= as_of,
            entry.programme_id.is_(None),
        )
        .group_by(*key)
        .having(sa.func.sum(entry.amount) != 0)
        .order_by(entry.year, entry.source_ref)
    )
    found: dict[uuid.UUID, list[Amount]] = {teacher_id: [] for teacher_id in teacher_ids}
    for row in rows:
        found[row.teacher_id].append(
            Amount(row.year, row.source_ref, row.unit, row.amount, row.hour_type, row.training_form, row.probation)
        )
    return found


def _is_one_of(column: Any, teacher_ids: Collection[uuid.UUID]) -> Any:
    # A single teacher is named as such: of an array PostgreSQL cannot tell, once it keeps a plan, in which of the ledger's
    # partitions to look, and looks in all.
    if len(teacher_ids) == 1:
        return column == next(iter(teacher_ids))
    return column == sa.any_(sa.cast(list(teacher_ids), sa.ARRAY(sa.Uuid)))


def find_placement(db: Session, teacher_id: uuid.UUID) -> Placement | None:
    return db.get(Placement, teacher_id)


def find_verification(db: Session, teacher_id: uuid.UUID, year: int) -> YearVerification | None:
    return db.get(YearVerification, (teacher_id, year))


def list_verifications(
    db: Session, place: str, year: int, met: bool | None, after: tuple[str, uuid.UUID] | None, limit: int
) -> list[tuple[YearVerification, Placement]]:
    """Frozen years of the teachers who are at the place or below it now, school by school."""
    key = sa.tuple_(Placement.place, Placement.teacher_id)
    select = (
        sa.select(YearVerification, Placement)
        .join(Placement, Placement.teacher_id == YearVerification.teacher_id)
        .where(at_or_below(Placement.place, place), YearVerification.year == year)
    )
    if met is not None:
        select = select.where(YearVerification.met == met)
    if after is not None:
        select = select.where(key > sa.tuple_(*after))
    found = db.execute(select.order_by(Placement.place, Placement.teacher_id).limit(limit))
    return [(row.YearVerification, row.Placement) for row in found]


def add_totals(db: Session, year: int, frozen: Iterable[tuple[str, bool]]) -> None:
    """Count (place, met) of years frozen now for the first time; in one order everywhere, so nobody waits in a circle."""
    sums: dict[str, list[int]] = {}
    for place, met in frozen:
        total = sums.setdefault(place, [0, 0])
        total[0] += 1
        total[1] += met
    rows = [
        {"year": year, "place": place, "teachers": teachers, "met": met}
        for place, (teachers, met) in sorted(sums.items())
    ]
    if not rows:
        return
    statement = insert(YearTotal)
    added = {name: getattr(YearTotal, name) + statement.excluded[name] for name in ("teachers", "met")}
    db.execute(statement.on_conflict_do_update(index_elements=["year", "place"], set_=added), rows)


def change_total(db: Session, year: int, place: str, was: bool, met: bool) -> None:
    """Count a year that a correction has changed."""
    if was is not met:
        of_school = sa.update(YearTotal).where(YearTotal.year == year, YearTotal.place == place)
        db.execute(of_school.values(met=YearTotal.met + (1 if met else -1)))


def sum_verifications(db: Session, place: str, year: int) -> dict[str, Any]:
    """The totals of a place, and of each place directly below it in the order of the tree."""
    parts = place.count("/") + 2
    # The first `parts` segments: what stands before the rest of the path.
    child = sa.func.substring(YearTotal.place, f"^([^/]+(?:/[^/]+){{0,{parts - 1}}})").label("place")
    rows = db.execute(
        sa.select(child, sa.func.sum(YearTotal.teachers).label("teachers"), sa.func.sum(YearTotal.met).label("met"))
        .where(YearTotal.year == year, at_or_below(YearTotal.place, place))
        .group_by(child)
        .order_by(child)
    ).all()
    shown = [{"place": row.place, "teachers": int(row.teachers), "met": int(row.met)} for row in rows]
    return {
        "teachers": sum(row["teachers"] for row in shown),
        "met": sum(row["met"] for row in shown),
        "below": [row for row in shown if row["place"] != place],
    }


def count_complaints(db: Session, place: str, year: int) -> list[dict[str, Any]]:
    """By the school where the teacher is now, in the order of the tree; schools without a complaint are left out."""
    states = {
        str(state).lower(): sa.func.count().filter(Complaint.state == state).label(str(state).lower())
        for state in ComplaintState
    }
    rows = db.execute(
        sa.select(
            Placement.place,
            sa.func.max(Placement.school_name).label("school_name"),
            sa.func.count().label("complaints"),
            *states.values(),
            sa.func.count().filter(Complaint.accepted.is_(True)).label("accepted"),
            sa.func.count().filter(Complaint.reopened.is_(True)).label("reopened"),
        )
        .join(Placement, Placement.teacher_id == Complaint.teacher_id)
        .where(at_or_below(Placement.place, place), Complaint.year == year)
        .group_by(Placement.place)
        .order_by(Placement.place)
    )
    return [dict(row) for row in rows.mappings()]


def is_frozen(db: Session, teacher_id: uuid.UUID, year: int) -> bool:
    return find_verification(db, teacher_id, year) is not None


def lock_closing(db: Session, scheme_id: str, year: int) -> YearClosing | None:
    """The closing's row, or None while another process works on it."""
    select = sa.select(YearClosing).where(YearClosing.scheme_id == scheme_id, YearClosing.year == year)
    return db.scalars(select.with_for_update(skip_locked=True)).one_or_none()


def list_teachers_of(db: Session, place: str, after: uuid.UUID | None, limit: int) -> Sequence[Placement]:
    """Verified teachers below a place, in the order of their ids."""
    select = sa.select(Placement).where(is_below(Placement.place, place), Placement.state == "VERIFIED")
    if after is not None:
        select = select.where(Placement.teacher_id > after)
    return db.scalars(select.order_by(Placement.teacher_id).limit(limit)).all()


def list_frozen(db: Session, teacher_ids: Collection[uuid.UUID], year: int) -> set[uuid.UUID]:
    rows = db.scalars(
        sa.select(YearVerification.teacher_id).where(
            YearVerification.teacher_id.in_(teacher_ids), YearVerification.year == year
        )
    )
    return set(rows)


def get_complaint(db: Session, complaint_id: uuid.UUID) -> Complaint:
    """Raises NotFound."""
    complaint = db.get(Complaint, complaint_id)
    if complaint is None:
        raise NotFound(MISSING)
    return complaint


def lock_complaint(db: Session, complaint_id: uuid.UUID) -> Complaint:
    """Raises NotFound."""
    select = sa.select(Complaint).where(Complaint.complaint_id == complaint_id).with_for_update()
    complaint = db.scalars(select.execution_options(populate_existing=True)).one_or_none()
    if complaint is None:
        raise NotFound(MISSING)
    return complaint


def find_open_complaint(db: Session, teacher_id: uuid.UUID, year: int) -> Complaint | None:
    return db.scalars(
        sa.select(Complaint).where(
            Complaint.teacher_id == teacher_id, Complaint.year == year, Complaint.state != ComplaintState.CLOSED
        )
    ).one_or_none()


def list_complaints(
    db: Session, condition: Any, state: str | None, after: uuid.UUID | None, limit: int
) -> list[Complaint]:
    """The oldest first."""
    select = sa.select(Complaint).join(Placement, Placement.teacher_id == Complaint.teacher_id).where(condition)
    if state is not None:
        select = select.where(Complaint.state == state)
    if after is not None:
        select = select.where(Complaint.complaint_id > after)
    return list(db.scalars(select.order_by(Complaint.complaint_id).limit(limit)))


def of_teacher(teacher_id: uuid.UUID) -> Any:
    return Complaint.teacher_id == teacher_id


def get_entry(db: Session, teacher_id: uuid.UUID, entry_id: uuid.UUID) -> LedgerEntry:
    """Raises NotFound."""
    entry = db.get(LedgerEntry, (teacher_id, entry_id))
    if entry is None:
        raise NotFound("credits.entry_unknown")
    return entry
