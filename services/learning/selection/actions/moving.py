"""Choices after the window: they become void, are billed, admitted, graded; always many at once, counted and announced."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from services.learning.contract.selection import CHOICE_CHANGED, ChoiceState
from services.learning.selection import queries, rules
from services.learning.selection.actions.choosing import choice_payload
from services.learning.selection.models import Choice, Period
from services.shared import audit, clock, outbox
from services.shared.actor import Role, covers
from services.shared.bus import Call
from services.shared.driver import touch_plain
from services.shared.errors import Conflict, NotFound
from services.shared.many_rows import document, run_many

log = structlog.get_logger(__name__)

_COUNT = f"""
    INSERT INTO choice_delta (offering_id, period_id, place, state, change, recorded_at)
    SELECT offering_id, period_id, place, told.state, sum(told.change), %(now)s::timestamptz
    FROM {document("offering_id uuid, period_id uuid, place text, before text, after text")},
        LATERAL (VALUES (new.before, -1), (new.after, 1)) AS told (state, change)
    GROUP BY offering_id, period_id, place, told.state
"""  # noqa: S608
_FREE = "UPDATE seats SET taken = taken - %(number)s WHERE offering_id = %(offering)s"
# Who charges for courses of a tier besides the unit itself: the city's centre, the district's institution (S3:164, 167).
INSTITUTION = {
    rules.CITY: frozenset({Role.CITY_CENTRE, Role.TRAINING_INSTITUTION}),
    rules.DISTRICT: frozenset({Role.DISTRICT_INSTITUTION, Role.TRAINING_INSTITUTION}),
}
NO_SEAT = frozenset({ChoiceState.CANCELLED, ChoiceState.VOID})


def move(db: Session, wanted: Mapping[uuid.UUID, ChoiceState], choices: Sequence[Choice], now: dt.datetime) -> None:
    """Move locked choices to the states wanted by their ids; count and announce those that change."""
    moved = [(choice, choice.state) for choice in choices if choice.state != wanted[choice.choice_id]]
    for choice, _ in moved:
        choice.state, choice.version, choice.changed_at = wanted[choice.choice_id], choice.version + 1, now
    db.flush()
    if not moved:
        return
    rows = [
        {
            "offering_id": str(choice.offering_id),
            "period_id": str(choice.period_id),
            "place": choice.place,
            "before": before,
            "after": choice.state,
        }
        for choice, before in moved
    ]
    run_many(db, _COUNT, rows, now=now.isoformat())
    freed: dict[uuid.UUID, int] = {}
    for choice, before in moved:
        if choice.state in NO_SEAT and before not in NO_SEAT:
            freed[choice.offering_id] = freed.get(choice.offering_id, 0) + 1
    for offering_id in sorted(freed):
        touch_plain(db, _FREE, {"offering": offering_id, "number": freed[offering_id]})
    outbox.announce_many(db, CHOICE_CHANGED, [(choice.choice_id, choice_payload(choice)) for choice, _ in moved])


def require_institution(call: Call, charging_place: str, tier: str) -> None:
    """The caller must be the institution that charges for the course: the unit itself, or the city's centre for a city's,
    the district's institution for a district's.

    Raises NotFound: nobody else knows of it.
    """
    call.authorise(place=charging_place, missing=queries.MISSING)
    if not any(covers(place, charging_place) for place in call.actor.places(INSTITUTION[tier])):
        raise NotFound(queries.MISSING)


def void_choice(db: Session, call: Call, choice_id: uuid.UUID, reason: str) -> Choice:
    """The charging institution takes a choice away after the window (S3:396); billing takes it off the bill.

    Raises NotFound for whoever does not charge for it, Conflict "learning.selection_running" inside the window,
    "learning.choice_state" for what is cancelled or graded.
    """
    found = queries.get_choice(db, choice_id)
    queries.hold_open(db, [found.offering_id])
    [choice] = queries.lock_choices(db, Choice.choice_id == choice_id)
    period = db.get_one(Period, choice.period_id)
    require_institution(call, choice.charging_place, period.tier)
    if choice.state == ChoiceState.VOID:
        return choice
    if call.now < period.selects_until and not queries.is_closed(db, choice.period_id):
        raise Conflict("learning.selection_running")
    if choice.state not in rules.VOIDABLE:
        raise Conflict("learning.choice_state")
    before = choice.state
    move(db, {choice.choice_id: ChoiceState.VOID}, [choice], call.now)
    audit.record(
        db,
        call,
        subject=choice.teacher_id,
        place=choice.place,
        reason=reason,
        before={"choice_id": str(choice_id), "state": before},
        after={"choice_id": str(choice_id), "state": choice.state},
    )
    return choice


def void_offering(db: Session, offering_id: uuid.UUID, now: dt.datetime) -> int:
    """An offering was withdrawn: what was chosen of it and is not graded becomes void. Returns how many."""
    choices = queries.lock_choices(
        db, sa.and_(Choice.offering_id == offering_id, Choice.state.in_(sorted(rules.VOIDABLE)))
    )
    move(db, dict.fromkeys((choice.choice_id for choice in choices), ChoiceState.VOID), choices, now)
    return len(choices)


def keep_charge(db: Session, payload: dict[str, Any]) -> None:
    """News of billing about one choice: move it, unless newer news is known, or it is void or graded."""
    choice_id = uuid.UUID(payload["choice_id"])
    choices = queries.lock_choices(db, Choice.choice_id == choice_id)
    if not choices:
        log.warning("charge_without_choice", choice_id=str(choice_id))
        return
    [choice] = choices
    if payload["version"] <= choice.charge_version:
        return
    choice.charge_version = payload["version"]
    after = rules.state_after_charge(ChoiceState(choice.state), ChoiceState(payload["state"]))
    move(db, {choice_id: after}, [choice], clock.now())
