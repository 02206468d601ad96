"""Selects of verification."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.contract.verification import ComplaintState
from services.credits.models import LedgerEntry, Placement
from services.credits.queries import at_place
from services.credits.verification.models import Complaint, YearClosing, YearVerification
from services.shared.errors import NotFound
from services.shared.placement import is_below

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
        .where(at_place(place), YearVerification.year == year)
    )
    if met is not None:
        select = select.where(YearVerification.met == met)
    if after is not None:
        select = select.where(key > sa.tuple_(*after))
    found = db.execute(select.order_by(Placement.place, Placement.teacher_id).limit(limit))
    return [(row.YearVerification, row.Placement) for row in found]


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
