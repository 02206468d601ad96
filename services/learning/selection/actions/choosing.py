"""Choosing and cancelling inside the window: the statements that count seats, and nothing that could oversell them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.learning.contract.selection import CHOICE_CHANGED, ChoiceState, ChosenBy
from services.learning.selection import queries, rules
from services.learning.selection.models import Choice
from services.learning.selection.queries import Facts
from services.shared import clock, outbox
from services.shared.driver import run_plain
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

# The seat first: everybody who wants this offering waits at that row and holds nothing else of it, so two can never
# wait for each other. The closing is looked for once more, by a statement that began after the gate was passed.
# A second version was cancelled before, and counted so where the teacher taught then.
_TAKE = """
    WITH cancelled AS (
        SELECT place FROM choice WHERE teacher_id = %(teacher)s AND offering_id = %(offering)s
    ), seated AS (
        UPDATE seats SET taken = taken + 1
        WHERE offering_id = %(offering)s AND (capacity IS NULL OR taken < capacity)
            AND NOT EXISTS (SELECT 1 FROM closed_period WHERE period_id = %(period)s)
        RETURNING offering_id
    ), made AS (
        INSERT INTO choice AS kept (choice_id, teacher_id, offering_id, period_id, version, school_id, place,
            charging_place, state, chosen_by, chosen_at, changed_at)
        SELECT %(choice)s, %(teacher)s, offering_id, %(period)s, 1, %(school)s, %(place)s,
            %(charging_place)s, 'CHOSEN', %(by)s, %(now)s, %(now)s
        FROM seated
        ON CONFLICT (teacher_id, offering_id) DO UPDATE SET state = 'CHOSEN', version = kept.version + 1,
            school_id = excluded.school_id, place = excluded.place, chosen_by = excluded.chosen_by,
            chosen_at = excluded.chosen_at, changed_at = excluded.changed_at
        WHERE kept.state = 'CANCELLED'
        RETURNING choice_id, version
    ), counted AS (
        INSERT INTO choice_delta (offering_id, period_id, place, state, change, recorded_at)
        SELECT %(offering)s, %(period)s, told.place, told.state, told.change, %(now)s
        FROM made, (VALUES
            (1, %(place)s, 'CHOSEN', 1),
            (2, coalesce((SELECT place FROM cancelled), %(place)s), 'CANCELLED', -1)
        ) AS told (since_version, place, state, change)
        WHERE made.version >= told.since_version
    ), emptied AS (
        DELETE FROM basket_line USING made WHERE teacher_id = %(teacher)s AND offering_id = %(offering)s
    )
    SELECT EXISTS (SELECT 1 FROM seated) AS seated, made.choice_id, made.version
    FROM (VALUES (1)) AS one LEFT JOIN made ON true
"""
_GIVE_BACK = "UPDATE seats SET taken = taken - 1 WHERE offering_id = %(offering)s RETURNING taken"

_CANCEL = """
    WITH freed AS (
        UPDATE seats SET taken = taken - 1
        WHERE offering_id = %(offering)s AND NOT EXISTS (SELECT 1 FROM closed_period WHERE period_id = %(period)s)
        RETURNING offering_id
    ), moved AS (
        UPDATE choice SET state = 'CANCELLED', version = version + 1, changed_at = %(now)s
        FROM freed
        WHERE choice.teacher_id = %(teacher)s AND choice.offering_id = freed.offering_id AND choice.state = 'CHOSEN'
        RETURNING choice.version, choice.place
    ), counted AS (
        INSERT INTO choice_delta (offering_id, period_id, place, state, change, recorded_at)
        SELECT %(offering)s, %(period)s, moved.place, told.state, told.change, %(now)s
        FROM moved, (VALUES ('CHOSEN', -1), ('CANCELLED', 1)) AS told (state, change)
    )
    SELECT version FROM moved
"""


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A choice after it was made or cancelled. `news`: it was not so before."""

    choice_id: uuid.UUID
    teacher_id: uuid.UUID
    offering_id: uuid.UUID
    period_id: uuid.UUID
    state: ChoiceState
    chosen_by: str
    version: int
    selects_until: dt.datetime | None
    news: bool


def choose(
    db: Session, teacher_id: uuid.UUID, offering_id: uuid.UUID, by: ChosenBy, *, held: bool, now: dt.datetime
) -> Chosen:
    """Take a seat for the teacher. Who has it already keeps it, whoever chose.

    `held`: billing says that something bars the teacher from choosing. Raises NotFound for an offering that is not there
    for her, Conflict with the code of the guard that refuses (`domain.md` §3.12), or that the course is full.
    """
    queries.hold_open(db, [offering_id])
    facts = queries.read_facts(db, teacher_id, [offering_id]).get(offering_id)
    if facts is None:
        raise NotFound(queries.OFFERING_MISSING, "offering_id")
    chosen = take_seat(db, teacher_id, facts, by, held=held, now=now)
    if isinstance(chosen, str):
        raise refusal_of(chosen)
    return chosen


def refusal_of(code: str) -> Exception:
    """What lies beyond the teacher's city or district looks like what there is not."""
    return NotFound(code, "offering_id") if code == queries.OFFERING_MISSING else Conflict(code)


def take_seat(
    db: Session, teacher_id: uuid.UUID, facts: Facts, by: ChosenBy, *, held: bool, now: dt.datetime
) -> Chosen | str:
    """The choice, or the code of what refuses it; then nothing was written. The gate of the period must be held open."""
    row = facts.row
    if row.choice_state not in (None, ChoiceState.CANCELLED):
        if row.choice_state == ChoiceState.CHOSEN:
            return _present(db, teacher_id, facts)
        return "learning.choice_state"
    if refusal := rules.choice_refusal(facts.window, facts.offer, facts.chooser, by, held=held, now=now):
        return refusal
    if facts.full:
        return "learning.offering_full"
    given = {
        "choice": row.choice_id or new_id(),
        "teacher": teacher_id,
        "offering": row.offering_id,
        "period": row.period_id,
        "school": row.school_id,
        "place": row.place,
        "charging_place": row.charging_place,
        "by": by,
        "now": now,
    }
    [taken] = run_plain(db, _TAKE, given)
    if taken.choice_id is None:
        return _after_all(db, teacher_id, facts, seated=taken.seated)
    chosen = Chosen(
        taken.choice_id,
        teacher_id,
        row.offering_id,
        row.period_id,
        ChoiceState.CHOSEN,
        by,
        taken.version,
        row.selects_until,
        news=True,
    )
    outbox.announce(db, CHOICE_CHANGED, chosen.choice_id, _payload(chosen, row.school_id, row.place, now))
    return chosen


def _after_all(db: Session, teacher_id: uuid.UUID, facts: Facts, *, seated: bool) -> Chosen | str:
    """Somebody was quicker: took the last seat, or chose the same for the same teacher."""
    if seated:
        run_plain(db, _GIVE_BACK, {"offering": facts.row.offering_id})
    choice = queries.find_choice(db, teacher_id, facts.row.offering_id)
    if choice is not None and choice.state == ChoiceState.CHOSEN:
        return _present(db, teacher_id, facts)
    return "learning.choice_state" if seated else "learning.offering_full"


def _present(db: Session, teacher_id: uuid.UUID, facts: Facts) -> Chosen:
    choice = queries.find_choice(db, teacher_id, facts.row.offering_id)
    assert choice is not None
    return describe(choice, facts.row.selects_until, news=False)


def cancel(db: Session, choice: Choice, now: dt.datetime) -> Chosen:
    """Give the seat back, inside the window (S3:364, 396). What is cancelled already stays so.

    Raises Conflict: "learning.selection_over" outside the window, "learning.choice_state" for what is billed.
    """
    queries.hold_open(db, [choice.offering_id])
    facts = queries.read_facts(db, choice.teacher_id, [choice.offering_id])[choice.offering_id]
    state = facts.row.choice_state
    if state == ChoiceState.CANCELLED:
        return describe(choice, facts.row.selects_until, news=False)
    if state != ChoiceState.CHOSEN:
        raise Conflict("learning.choice_state")
    if refusal := rules.window_refusal(facts.window, now):
        raise Conflict(refusal)
    given = {"teacher": choice.teacher_id, "offering": choice.offering_id, "period": choice.period_id, "now": now}
    moved = run_plain(db, _CANCEL, given)
    if not moved:
        # Cancelled by another at this moment; what this transaction took from the seats goes with it.
        raise Conflict("shared.conflict")
    cancelled = dataclasses.replace(
        describe(choice, facts.row.selects_until, news=True),
        state=ChoiceState.CANCELLED,
        version=moved[0].version,
    )
    outbox.announce(db, CHOICE_CHANGED, choice.choice_id, _payload(cancelled, choice.school_id, choice.place, now))
    return cancelled


def describe(choice: Choice, selects_until: dt.datetime | None, *, news: bool) -> Chosen:
    return Chosen(
        choice.choice_id,
        choice.teacher_id,
        choice.offering_id,
        choice.period_id,
        ChoiceState(choice.state),
        choice.chosen_by,
        choice.version,
        selects_until,
        news,
    )


def _payload(chosen: Chosen, school_id: uuid.UUID, place: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "choice_id": str(chosen.choice_id),
        "version": chosen.version,
        "teacher_id": str(chosen.teacher_id),
        "school_id": str(school_id),
        "place": place,
        "offering_id": str(chosen.offering_id),
        "period_id": str(chosen.period_id),
        "state": str(chosen.state),
        "chosen_by": str(chosen.chosen_by),
        "at": clock.format_instant(at),
    }


def choice_payload(choice: Choice) -> dict[str, Any]:
    """The whole choice as it is now."""
    return _payload(describe(choice, None, news=False), choice.school_id, choice.place, choice.changed_at)
