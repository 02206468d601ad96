"""Selects of selection, and the statement that reads all that decides about a choice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract.selection import ChoiceState
from services.learning.models import Placement
from services.learning.selection import rules
from services.learning.selection.models import BasketLine, Choice, ChoiceTotal, ClosedPeriod, Offering, Period, Seats
from services.shared.driver import run_plain
from services.shared.errors import NotFound
from services.shared.placement import is_below

MISSING = "learning.choice_unknown"
OFFERING_MISSING = "learning.offering_unknown"

# Whoever chooses or cancels in a period holds its gate open; closing waits until nobody does, and nobody comes in
# meanwhile (ADR 0012). A lock in memory: it writes no row.
_GATE = "hashtextextended('selection ' || period_id::text, 0)"
# The statements that follow look up rows by their keys, whatever the values: to plan them anew for each choice, row
# security included, takes PostgreSQL several times as long as to run them (`database.PLANNED_ONCE`).
_HOLD_OPEN = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), "  # noqa: S608
    f"count(pg_advisory_xact_lock_shared({_GATE})) FROM ("
    "SELECT DISTINCT period_id FROM offering WHERE offering_id = ANY(%(offerings)s::uuid[]) ORDER BY period_id) AS one"
)
_SHUT = "SELECT pg_advisory_xact_lock(hashtextextended('selection ' || %(period)s::text, 0))"


def hold_open(db: Session, offering_ids: Collection[uuid.UUID]) -> None:
    """Keep the periods of these offerings from closing until this transaction ends; wait for one that is closing now."""
    run_plain(db, _HOLD_OPEN, {"offerings": list(offering_ids)})


def shut(db: Session, period_id: uuid.UUID) -> None:
    """Wait until nobody chooses or cancels in the period, and let nobody in until this transaction ends."""
    run_plain(db, _SHUT, {"period": str(period_id)})


_FACTS = """
    SELECT offering.offering_id, offering.period_id, offering.course_no, offering.title, offering.hours, offering.fee,
        offering.material_fee, offering.public_course, offering.charging_unit_id, offering.charging_place,
        offering.audience, offering.capability, offering.state = 'WITHDRAWN' AS withdrawn,
        offering.hour_type, offering.course_type,
        period.tier, period.place AS period_place, period.state AS period_state, period.selects_from,
        period.selects_until, period.code, closed.period_id IS NOT NULL AS closed,
        seats.capacity, seats.taken,
        placement.state AS membership, placement.place, placement.school_id,
        coalesce(employment.status, 'ON_DUTY') AS employment,
        coalesce(learner.segment, '') AS segment, coalesce(learner.subject, '') AS subject,
        choice.choice_id, choice.state AS choice_state, choice.version AS choice_version
    FROM offering
    JOIN period ON period.period_id = offering.period_id
    JOIN seats ON seats.offering_id = offering.offering_id
    LEFT JOIN closed_period AS closed ON closed.period_id = offering.period_id
    LEFT JOIN placement ON placement.teacher_id = %(teacher)s
    LEFT JOIN employment ON employment.teacher_id = %(teacher)s
    LEFT JOIN learner ON learner.teacher_id = %(teacher)s
    LEFT JOIN choice ON choice.teacher_id = %(teacher)s AND choice.offering_id = offering.offering_id
    WHERE offering.offering_id = ANY(%(offerings)s::uuid[])
"""


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that decides whether one teacher may choose one offering. `row` is the offering as it is shown."""

    row: Any
    window: rules.Window
    offer: rules.Offer
    chooser: rules.Chooser

    @classmethod
    def of(cls, row: Any) -> Facts:
        return cls(
            row,
            rules.Window(row.period_state, row.selects_from, row.selects_until, row.closed),
            rules.Offer(row.tier, row.period_place, row.audience, row.capability, row.withdrawn),
            rules.Chooser(
                row.membership or "", row.place or "", row.school_id, row.segment, row.subject, row.employment
            ),
        )

    @property
    def full(self) -> bool:
        return self.row.capacity is not None and self.row.taken >= self.row.capacity


def read_facts(db: Session, teacher_id: uuid.UUID, offering_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Facts]:
    """By offering; those that nobody told us of are not there."""
    rows = run_plain(db, _FACTS, {"teacher": teacher_id, "offerings": list(offering_ids)})
    return {row.offering_id: Facts.of(row) for row in rows}


def is_closed(db: Session, period_id: uuid.UUID) -> bool:
    return db.scalar(sa.select(ClosedPeriod.period_id).where(ClosedPeriod.period_id == period_id)) is not None


def find_choice(db: Session, teacher_id: uuid.UUID, offering_id: uuid.UUID) -> Choice | None:
    return db.get(Choice, (teacher_id, offering_id), populate_existing=True)


def get_choice(db: Session, choice_id: uuid.UUID) -> Choice:
    """Raises NotFound."""
    choice = db.scalars(sa.select(Choice).where(Choice.choice_id == choice_id)).one_or_none()
    if choice is None:
        raise NotFound(MISSING)
    return choice


def lock_choices(db: Session, condition: Any) -> list[Choice]:
    """In the order of their ids, as everybody locks them."""
    select = sa.select(Choice).where(condition).order_by(Choice.choice_id).with_for_update()
    return list(db.scalars(select.execution_options(populate_existing=True)))


def list_basket(db: Session, teacher_id: uuid.UUID) -> list[uuid.UUID]:
    """What lies in the basket, in the order in which it was put there."""
    select = sa.select(BasketLine.offering_id).where(BasketLine.teacher_id == teacher_id)
    return list(db.scalars(select.order_by(BasketLine.added_at, BasketLine.offering_id)))


def list_chosen(db: Session, teacher_id: uuid.UUID, period_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Offerings that the teacher holds in these periods and that are still to be billed."""
    select = sa.select(Choice.offering_id).where(
        Choice.teacher_id == teacher_id, Choice.state == ChoiceState.CHOSEN, Choice.period_id.in_(period_ids)
    )
    return list(db.scalars(select))


def find_place(db: Session, teacher_id: uuid.UUID) -> str | None:
    """Where the teacher is now, or None."""
    return db.scalar(sa.select(Placement.place).where(Placement.teacher_id == teacher_id)) or None


def at_place(column: Any, place: str) -> Any:
    return sa.or_(column == place, is_below(column, place))


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a list of choices is narrowed to."""

    states: frozenset[ChoiceState] | None = None
    period_id: uuid.UUID | None = None
    offering_id: uuid.UUID | None = None
    teacher_id: uuid.UUID | None = None
    search: str = ""

    def conditions(self) -> Iterable[Any]:
        if self.states is not None:
            yield Choice.state.in_(sorted(self.states))
        for name in ("period_id", "offering_id", "teacher_id"):
            if (value := getattr(self, name)) is not None:
                yield getattr(Choice, name) == value
        if self.search:
            # Not LIKE: what is looked for may hold its signs.
            needle = self.search.lower()
            yield sa.or_(
                sa.func.strpos(sa.func.lower(Offering.title), needle) > 0,
                sa.func.strpos(sa.func.lower(Offering.course_no), needle) > 0,
            )


def list_seats(db: Session, period_id: uuid.UUID, after: uuid.UUID | None, limit: int) -> list[Seats]:
    offered = sa.select(Offering.offering_id).where(Offering.period_id == period_id)
    select = sa.select(Seats).where(Seats.offering_id.in_(offered)).order_by(Seats.offering_id).limit(limit)
    if after is not None:
        select = select.where(Seats.offering_id > after)
    return list(db.scalars(select))


def _shown() -> sa.Select[Choice, Offering, Period]:
    return (
        sa.select(Choice, Offering, Period)
        .join(Offering, Offering.offering_id == Choice.offering_id)
        .join(Period, Period.period_id == Choice.period_id)
    )


def list_own_choices(
    db: Session, teacher_id: uuid.UUID, wanted: Wanted, after: uuid.UUID | None, limit: int
) -> Sequence[Any]:
    """The newest first."""
    select = _shown().where(Choice.teacher_id == teacher_id, *wanted.conditions())
    if after is not None:
        select = select.where(Choice.choice_id < after)
    return db.execute(select.order_by(Choice.choice_id.desc()).limit(limit)).all()


def choices_at(place: str, wanted: Wanted) -> sa.Select[Any]:
    """Choices of the teachers who are at the place or below it now, with their schools."""
    return (
        _shown()
        .add_columns(Placement)
        .join(Placement, Placement.teacher_id == Choice.teacher_id)
        .where(at_place(Placement.place, place), *wanted.conditions())
    )


def list_choices(
    db: Session, place: str, wanted: Wanted, after: tuple[str, uuid.UUID, uuid.UUID] | None, limit: int
) -> Sequence[Any]:
    """School by school, teacher by teacher, in the order of ids; `after` is (place, teacher, offering) of the last row."""
    key = (Placement.place, Choice.teacher_id, Choice.offering_id)
    select = choices_at(place, wanted)
    if after is not None:
        select = select.where(sa.tuple_(*key) > sa.tuple_(*after))
    return db.execute(select.order_by(*key).limit(limit)).all()


def list_totals(
    db: Session, place: str, period_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> dict[uuid.UUID, tuple[Offering, dict[str, int]]]:
    """Offerings of a period with how many of the place's teachers chose them, by state; also those that nobody chose."""
    select = sa.select(Offering).where(Offering.period_id == period_id).order_by(Offering.offering_id).limit(limit)
    if after is not None:
        select = select.where(Offering.offering_id > after)
    offerings = db.scalars(select).all()
    found: dict[uuid.UUID, tuple[Offering, dict[str, int]]] = {each.offering_id: (each, {}) for each in offerings}
    rows = db.scalars(sa.select(ChoiceTotal).where(ChoiceTotal.place == place, ChoiceTotal.offering_id.in_(found)))
    for row in rows:
        found[row.offering_id][1][row.state] = row.number
    return found


def list_totals_below(
    db: Session, place: str, period_id: uuid.UUID, offering_id: uuid.UUID | None, after: str | None, limit: int
) -> list[tuple[str, dict[str, int]]]:
    """The same sums for each place directly below, in the order of the tree: of one offering, or of the whole period."""
    conditions = [ChoiceTotal.period_id == period_id, ChoiceTotal.parent == place]
    if offering_id is not None:
        conditions.append(ChoiceTotal.offering_id == offering_id)
    if after is not None:
        conditions.append(ChoiceTotal.place > after)
    places = db.scalars(
        sa.select(ChoiceTotal.place).where(*conditions).distinct().order_by(ChoiceTotal.place).limit(limit)
    ).all()
    found: dict[str, dict[str, int]] = {each: {} for each in places}
    sums = (
        sa.select(ChoiceTotal.place, ChoiceTotal.state, sa.func.sum(ChoiceTotal.number).label("number"))
        .where(*conditions, ChoiceTotal.place.in_(places))
        .group_by(ChoiceTotal.place, ChoiceTotal.state)
    )
    for row in db.execute(sums):
        found[row.place][row.state] = int(row.number)
    return list(found.items())


def as_of(db: Session, now: dt.datetime) -> dt.datetime:
    """Up to when the totals hold everything: the oldest change that is not folded yet, or now."""
    oldest = db.scalar(sa.select(sa.func.oldest_choice_delta()))
    return min(oldest, now) if oldest else now
