"""Selects of verification."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits.contract.verification import ComplaintState
from services.credits.models import EmploymentStatus, LedgerEntry, Placement
from services.credits.verification.models import (
    Complaint,
    OpenYear,
    OpenYearTotal,
    YearClosing,
    YearComputation,
    YearTotal,
    YearVerification,
)
from services.shared.employment import is_archived
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


@dataclasses.dataclass(frozen=True)
class YearsWanted:
    """Years of the teachers who are at a place or below it now: frozen ones, open ones as of last night, or both."""

    place: str
    year: int
    met: bool | None = None
    frozen: bool | None = None


class YearFound(NamedTuple):
    """A teacher's year: as it was frozen, or, where it is open, as it was computed in the night."""

    held: YearVerification | None
    computed: OpenYear | None
    placement: Placement


def years_of_place(wanted: YearsWanted) -> Any:
    """Whose year is frozen has no other: what was computed before is not looked at."""
    held, computed = YearVerification, OpenYear
    select = (
        sa.select(held, computed, Placement)
        .select_from(Placement)
        .outerjoin(held, sa.and_(held.teacher_id == Placement.teacher_id, held.year == wanted.year))
        .outerjoin(
            computed,
            sa.and_(
                computed.teacher_id == Placement.teacher_id, computed.year == wanted.year, held.teacher_id.is_(None)
            ),
        )
        .where(at_or_below(Placement.place, wanted.place))
    )
    is_frozen, is_computed = held.teacher_id.is_not(None), computed.teacher_id.is_not(None)
    if wanted.frozen is None:
        select = select.where(sa.or_(is_frozen, is_computed))
    else:
        select = select.where(is_frozen if wanted.frozen else is_computed)
    if wanted.met is not None:
        select = select.where(sa.func.coalesce(held.met, computed.met) == wanted.met)
    return select


def list_years(db: Session, wanted: YearsWanted, after: tuple[str, uuid.UUID] | None, limit: int) -> list[YearFound]:
    """School by school."""
    select = years_of_place(wanted)
    if after is not None:
        select = select.where(sa.tuple_(Placement.place, Placement.teacher_id) > sa.tuple_(*after))
    found = db.execute(select.order_by(Placement.place, Placement.teacher_id).limit(limit))
    return [YearFound(row.YearVerification, row.OpenYear, row.Placement) for row in found]


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
    """The totals of a place, and of each place directly below it in the order of the tree: frozen years, and open ones
    as of last night (the oldest night, where places below have schemes of their own)."""
    frozen = {row.place: row for row in _sum_by_child(db, YearTotal, place, year)}
    computed = {row.place: row for row in _sum_by_child(db, OpenYearTotal, place, year, OpenYearTotal.computed_at)}
    shown = [
        {
            "place": child,
            "teachers": int(frozen[child].teachers) if child in frozen else 0,
            "met": int(frozen[child].met) if child in frozen else 0,
            "open_teachers": int(computed[child].teachers) if child in computed else 0,
            "open_met": int(computed[child].met) if child in computed else 0,
        }
        for child in sorted(frozen.keys() | computed.keys())
    ]
    return {
        **{name: sum(row[name] for row in shown) for name in ("teachers", "met", "open_teachers", "open_met")},
        "computed_at": min((row.oldest for row in computed.values()), default=None),
        "below": [row for row in shown if row["place"] != place],
    }


def _sum_by_child(db: Session, totals: Any, place: str, year: int, instant: Any = None) -> Sequence[Any]:
    parts = place.count("/") + 2
    # The first `parts` segments: what stands before the rest of the path.
    child = sa.func.substring(totals.place, f"^([^/]+(?:/[^/]+){{0,{parts - 1}}})").label("place")
    columns = [child, sa.func.sum(totals.teachers).label("teachers"), sa.func.sum(totals.met).label("met")]
    if instant is not None:
        columns.append(sa.func.min(instant).label("oldest"))
    return db.execute(
        sa.select(*columns).where(totals.year == year, at_or_below(totals.place, place)).group_by(child)
    ).all()


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


def lock_computation(db: Session, scheme_id: str, year: int) -> YearComputation | None:
    """The computation's row, or None while another process works on it."""
    select = sa.select(YearComputation).where(YearComputation.scheme_id == scheme_id, YearComputation.year == year)
    return db.scalars(select.with_for_update(skip_locked=True)).one_or_none()


def forget_open_years(db: Session, scheme_id: str, year: int) -> None:
    """Take away what was computed of a year, once it is frozen."""
    db.execute(sa.delete(OpenYear).where(OpenYear.scheme_id == scheme_id, OpenYear.year == year))


def forget_open_totals(db: Session, scheme_id: str, year: int) -> None:
    db.execute(sa.delete(OpenYearTotal).where(OpenYearTotal.scheme_id == scheme_id, OpenYearTotal.year == year))


def list_teachers_of(db: Session, place: str, after: uuid.UUID | None, limit: int) -> Sequence[Placement]:
    """Verified teachers below a place, in the order of their ids; archived ones are in no denominator (`domain.md` §3.4)."""
    select = sa.select(Placement).where(
        is_below(Placement.place, place),
        Placement.state == "VERIFIED",
        ~is_archived(EmploymentStatus, Placement.teacher_id),
    )
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
