"""Selects of the shelf: the next few of what is offered, in one of four orders, whatever the number of courses."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from services.catalog.contract.courses import CourseType, HourType, Terminal
from services.catalog.contract.periods import OfferingState, PeriodState, Tier
from services.catalog.contract.shelf import Order
from services.catalog.periods.models import Offering, Period
from services.catalog.shelf.models import Choice, PeerTally, Rating, Teaching
from services.shared.search_tokens import tokens_of_search

# What is on the shelf: coming or open. A period that is over is looked at by its own id.
ON_SHELF = (PeriodState.PUBLISHED, PeriodState.SELECTING)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; nothing named, nothing narrowed."""

    q: str = ""
    tier: Tier | None = None
    hour_type: HourType | None = None
    course_type: CourseType | None = None
    hours_from: Decimal | None = None
    hours_to: Decimal | None = None
    subject: str = ""
    segment: str = ""
    terminal: Terminal | None = None
    series: str = ""
    capability: bool | None = None


@dataclasses.dataclass(frozen=True)
class Found:
    """An offering, and the value it is ordered by."""

    offering: Offering
    peers: int
    key: tuple[str, str]


def find_periods(
    db: Session, shelves: Sequence[tuple[Tier, str]], period_id: uuid.UUID | None, tier: Tier | None
) -> dict[uuid.UUID, Period]:
    """The periods on these shelves: those on which teachers can or will choose, or the one that is asked for."""
    select = sa.select(Period).where(sa.tuple_(Period.tier, Period.place).in_(list(shelves)))
    if tier is not None:
        select = select.where(Period.tier == tier)
    if period_id is None:
        select = select.where(Period.state.in_(ON_SHELF))
    else:
        select = select.where(Period.period_id == period_id, Period.state != PeriodState.PLANNED)
    return {period.period_id: period for period in db.scalars(select)}


def browse(
    db: Session,
    period_ids: Collection[uuid.UUID],
    wanted: Wanted,
    order: Order,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Found]:
    """The next offerings of these periods in an order, the last key of the page before being `after`.

    Each period's own index gives its first `limit`, and these few are merged: no list is sorted whole.
    """
    if not period_ids:
        return []
    periods = (
        sa.func.unnest(sa.literal(list(period_ids), ARRAY(sa.Uuid)))
        .table_valued("period_id")
        .render_derived(name="shelf")
    )
    peer = order is Order.PEERS
    value: Any = {
        Order.NEWEST: sa.literal(0),
        Order.POPULAR: Offering.chosen,
        Order.PEERS: PeerTally.chosen,
        Order.RATED: Offering.score,
    }[order]
    home: Any = PeerTally.period_id if peer else Offering.period_id
    last: Any = PeerTally.offering_id if peer else Offering.offering_id
    # Of colleagues' choices the subject says whose they are, whatever the courses are for.
    narrowed = dataclasses.replace(wanted, subject="") if peer else wanted
    select = sa.select(Offering, value.label("value")).where(home == periods.c.period_id, *_conditions(narrowed))
    if peer:
        select = select.join(PeerTally, PeerTally.offering_id == Offering.offering_id)
        select = select.where(PeerTally.subject == wanted.subject, PeerTally.chosen > 0)
    ordering = [last.desc()] if order is Order.NEWEST else [value.desc(), last.desc()]
    if after is not None:
        select = select.where(_after(order, value, last, after))
    inner = select.order_by(*ordering).limit(limit).lateral("offered")
    offering = aliased(Offering, inner)
    merged = sa.select(offering, inner.c.value).select_from(periods).join(inner, sa.true())
    final = (
        [inner.c.offering_id.desc()] if order is Order.NEWEST else [inner.c.value.desc(), inner.c.offering_id.desc()]
    )
    rows = db.execute(merged.order_by(*final).limit(limit)).all()
    return [Found(found, value if peer else 0, (str(value), str(found.offering_id))) for found, value in rows]


def _after(order: Order, value: Any, last: Any, after: tuple[str, str]) -> Any:
    key = uuid.UUID(after[1])
    if order is Order.NEWEST:
        return last < key
    at = Decimal(after[0]) if order is Order.RATED else int(after[0])
    return sa.tuple_(value, last) < sa.tuple_(sa.literal(at, value.type), sa.literal(key, sa.Uuid))


def _conditions(wanted: Wanted) -> list[Any]:
    found: list[Any] = [Offering.state == OfferingState.OPEN]
    if text := wanted.q.strip():
        found.append(Offering.tokens.contains(tokens_of_search(text)))
        # The pairs may stand apart.
        whole = sa.func.lower(Offering.title + "\n" + Offering.lecturer + "\n" + Offering.course_no)
        found.append(sa.func.strpos(whole, text.lower()) > 0)
    for column, value in (
        (Offering.hour_type, wanted.hour_type),
        (Offering.course_type, wanted.course_type),
        (Offering.series, wanted.series or None),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.hours_from is not None:
        found.append(Offering.hours >= wanted.hours_from)
    if wanted.hours_to is not None:
        found.append(Offering.hours <= wanted.hours_to)
    for words, word in ((Offering.subjects, wanted.subject), (Offering.segments, wanted.segment)):
        if word:  # a course without a list is for everybody
            found.append(sa.or_(words == [], words.contains([word])))
    if wanted.terminal is not None:
        found.append(Offering.terminals.contains([str(wanted.terminal)]))
    if wanted.capability is not None:
        is_one = Offering.capability_class.is_not(None)
        found.append(is_one if wanted.capability else sa.not_(is_one))
    return found


def list_series(db: Session, period_ids: Collection[uuid.UUID]) -> list[Any]:
    """Name, number of courses and hours of each series on offer."""
    return list(
        db.execute(
            sa.select(
                Offering.series,
                sa.func.count().label("courses"),
                sa.func.sum(Offering.hours).label("hours"),
            )
            .where(Offering.period_id.in_(period_ids), Offering.state == OfferingState.OPEN, Offering.series != "")
            .group_by(Offering.series)
            .order_by(Offering.series)
            .limit(200)
        )
    )


def find_teaching(db: Session, teacher_id: uuid.UUID) -> Teaching | None:
    return db.get(Teaching, teacher_id)


def find_subjects(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db.execute(sa.select(Teaching.teacher_id, Teaching.subject).where(Teaching.teacher_id.in_(teacher_ids)))
    return {row.teacher_id: row.subject for row in rows}


def lock_choices(db: Session, choice_ids: Collection[uuid.UUID]) -> list[Choice]:
    select = sa.select(Choice).where(Choice.choice_id.in_(choice_ids)).order_by(Choice.choice_id)
    return list(db.scalars(select.with_for_update()))


def courses_taken(db: Session, teacher_id: uuid.UUID, taken_back: Collection[str]) -> set[uuid.UUID]:
    """Courses that a teacher has chosen, in whichever period."""
    select = (
        sa.select(Offering.course_id)
        .join(Choice, Choice.offering_id == Offering.offering_id)
        .where(Choice.teacher_id == teacher_id, Choice.state.not_in(taken_back))
    )
    return set(db.scalars(select))


def states_of(db: Session, teacher_id: uuid.UUID, course_id: uuid.UUID) -> list[str]:
    """What became of a teacher's choices of a course."""
    select = (
        sa.select(Choice.state)
        .join(Offering, Offering.offering_id == Choice.offering_id)
        .where(Choice.teacher_id == teacher_id, Offering.course_id == course_id)
    )
    return list(db.scalars(select))


def peers_of(db: Session, offering_ids: Collection[uuid.UUID], subject: str) -> dict[uuid.UUID, int]:
    select = sa.select(PeerTally.offering_id, PeerTally.chosen).where(
        PeerTally.offering_id.in_(offering_ids), PeerTally.subject == subject
    )
    return {row.offering_id: row.chosen for row in db.execute(select)}


def find_rating(db: Session, course_id: uuid.UUID, teacher_id: uuid.UUID) -> Rating | None:
    return db.get(Rating, (course_id, teacher_id))
