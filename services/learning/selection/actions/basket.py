"""The basket 我的课单: what a teacher thinks of choosing, what it would cost, and choosing all of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.contract.selection import BASKET_LINES, ChosenBy
from services.learning.selection import queries, rules
from services.learning.selection.actions import choosing
from services.learning.selection.actions.choosing import Chosen
from services.learning.selection.models import BasketLine
from services.learning.selection.queries import Facts
from services.shared.errors import Conflict, LimitReached, NotFound


@dataclasses.dataclass(frozen=True)
class Shown:
    """One line: the offering, and what would refuse it now ("" when nothing would); the hold is asked for at the end."""

    offering: Any
    state: str
    refusal: str
    seats_left: int | None
    closes_in_seconds: int


def put(db: Session, teacher_id: uuid.UUID, offering_id: uuid.UUID, now: dt.datetime) -> None:
    """Put an offering into the basket; it may lie there before the window opens. Twice is once.

    Raises NotFound for what is not there for the teacher, LimitReached for a full basket.
    """
    facts = queries.read_facts(db, teacher_id, [offering_id]).get(offering_id)
    if facts is None or not rules.is_visible(facts.offer, facts.chooser.place):
        raise NotFound(queries.OFFERING_MISSING, "offering_id")
    lines = queries.list_basket(db, teacher_id)
    if offering_id not in lines and len(lines) >= BASKET_LINES:
        raise LimitReached("learning.basket_full")
    db.execute(
        insert(BasketLine).values(teacher_id=teacher_id, offering_id=offering_id, added_at=now).on_conflict_do_nothing()
    )


def take_out(db: Session, teacher_id: uuid.UUID, offering_id: uuid.UUID) -> None:
    """What is not in the basket is out of it already."""
    db.execute(sa.delete(BasketLine).where(BasketLine.teacher_id == teacher_id, BasketLine.offering_id == offering_id))


def show(db: Session, teacher_id: uuid.UUID, now: dt.datetime) -> dict[str, Any]:
    """The lines with what would refuse each now, and what they and the choices made already come to."""
    wanted = queries.list_basket(db, teacher_id)
    facts = queries.read_facts(db, teacher_id, wanted)
    lines = [_shown(facts[each], now) for each in wanted if each in facts]
    held = queries.list_chosen(db, teacher_id, {each.row.period_id for each in facts.values()})
    chosen = queries.read_facts(db, teacher_id, held)
    return {
        "lines": lines,
        "basket_costs": _costs([facts[each] for each in wanted if each in facts and not _refusal(facts[each], now)]),
        "chosen_costs": _costs(chosen.values()),
    }


def submit(
    db: Session, teacher_id: uuid.UUID, expected: Sequence[uuid.UUID], *, held: bool, now: dt.datetime
) -> list[tuple[uuid.UUID, Chosen | str]]:
    """Choose what lies in the basket: each line for itself, for the last seat of one course must not cost the others.

    What was chosen leaves the basket, what was refused stays with its reason. `expected`: the lines that the teacher saw.
    Raises Conflict: "learning.basket_empty", "learning.basket_changed" when it holds something else by now.
    """
    wanted = queries.list_basket(db, teacher_id)
    if not wanted:
        raise Conflict("learning.basket_empty")
    if set(expected) != set(wanted):
        raise Conflict("learning.basket_changed")
    queries.hold_open(db, wanted)
    facts = queries.read_facts(db, teacher_id, wanted)
    done: dict[uuid.UUID, Chosen | str] = {}
    # In one order for everybody, so that two baskets never wait for each other's seats.
    for each in sorted(wanted):
        done[each] = (
            choosing.take_seat(db, teacher_id, facts[each], ChosenBy.SELF, held=held, now=now)
            if each in facts
            else queries.OFFERING_MISSING
        )
        if isinstance(done[each], Chosen):
            take_out(db, teacher_id, each)
    return [(each, done[each]) for each in wanted]


def _shown(facts: Facts, now: dt.datetime) -> Shown:
    row = facts.row
    left = None if row.capacity is None else max(0, row.capacity - row.taken)
    closes_in = max(0, int((row.selects_until - now).total_seconds())) if not row.closed else 0
    return Shown(row, row.choice_state or "", _refusal(facts, now), left, closes_in)


def _refusal(facts: Facts, now: dt.datetime) -> str:
    refusal = rules.choice_refusal(facts.window, facts.offer, facts.chooser, ChosenBy.SELF, held=False, now=now)
    return refusal or ("learning.offering_full" if facts.full else "")


def _costs(facts: Any) -> list[rules.Cost]:
    return rules.costs(
        rules.Line(
            each.row.charging_unit_id, each.row.hours, each.row.fee, each.row.material_fee, each.row.public_course
        )
        for each in facts
    )
