"""Planning, publishing and moving periods along; each change is announced whole."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.periods import PERIOD_CHANGED, PeriodState, Tier
from services.catalog.periods import queries, rules
from services.catalog.periods.models import Period
from services.catalog.periods.rules import Act, Window
from services.catalog.periods.telling import period_payload
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.bus.calls import NotYet
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

Values = dict[str, Any]
CONTENT = ("code", "title", "year", "selects_from", "selects_until", "due_on")
AT_ONCE = 100  # of the clock's moves in one transaction


def plan_period(db: Session, call: Call, place: str, values: Values) -> Period:
    """A period of the city or district where the caller's centre or institution stands.

    Raises NotAllowed("catalog.period_place"), InvalidInput for a window that makes no sense,
    Conflict("catalog.period_code_taken").
    """
    call.authorise(place=place, missing="catalog.period_place", field="place")
    tier = rules.tier_opened_by(call.actor.grants, place)
    rules.require_window(window_of(values), call.now)
    if queries.is_code_taken(db, place, values["code"]):
        raise Conflict("catalog.period_code_taken", "code")
    period = Period(
        period_id=new_id(),
        version=0,
        tier=tier,
        place=place,
        state=PeriodState.PLANNED,
        created_at=call.now,
        changed_at=call.now,
        **{name: values[name] for name in CONTENT},
    )
    db.add(period)
    _tell(db, call, period, before={}, after={"code": period.code, "state": str(PeriodState.PLANNED)})
    return period


def revise_period(
    db: Session, call: Call, period_id: uuid.UUID, version: int, values: Values, reason: str = ""
) -> Period:
    """Change what is still open to change; the same again changes nothing.

    Raises NotFound out of reach, Conflict for an outdated `version`, for a state that allows no change, for what has begun.
    """
    period = lock_kept(db, call, period_id, version)
    before = {name: getattr(period, name) for name in CONTENT}
    changes = {name: values[name] for name in CONTENT if values[name] != before[name]}
    if not changes:
        return period
    rules.require_revision(PeriodState(period.state), before, values, window_of(values), call.now)
    if "code" in changes and queries.is_code_taken(db, period.place, values["code"]):
        raise Conflict("catalog.period_code_taken", "code")
    for name, value in changes.items():
        setattr(period, name, value)
    _tell(
        db,
        call,
        period,
        before={name: str(before[name]) for name in changes},
        after={name: str(value) for name, value in changes.items()},
        reason=reason,
    )
    return period


def publish_period(db: Session, call: Call, period_id: uuid.UUID, version: int) -> Period:
    """Show the period to its teachers; from now on its courses stay as they are offered.

    Raises as `revise_period`, and Conflict("catalog.nothing_offered"), InvalidInput("catalog.window_past").
    """
    period = lock_kept(db, call, period_id, version)
    rules.next_state(PeriodState(period.state), Act.PUBLISH)
    if not queries.has_open_offering(db, period_id):
        raise Conflict("catalog.nothing_offered")
    rules.require_window(window_of({name: getattr(period, name) for name in CONTENT}), call.now)
    return _advance(db, call, period, Act.PUBLISH)


def advance_period(db: Session, call: Call, period_id: uuid.UUID, version: int, act: Act) -> Period:
    """The steps that its keeper takes: teaching begins, all grades are in, the period is put away."""
    return _advance(db, call, lock_kept(db, call, period_id, version), act)


def _advance(db: Session, call: Call, period: Period, act: Act) -> Period:
    before = period.state
    period.state = rules.next_state(PeriodState(period.state), act)
    _tell(db, call, period, before={"state": str(before)}, after={"state": str(period.state)})
    return period


def lock_kept(db: Session, call: Call, period_id: uuid.UUID, version: int | None = None) -> Period:
    """The locked period, which the caller keeps, as the caller saw it. Another tier's is as unknown."""
    period = queries.lock_period(db, period_id, sharing=version is None)
    authorise_keeper(call, period)
    if version is not None and period.version != version:
        raise Conflict("catalog.period_version", "version")
    return period


def authorise_keeper(call: Call, period: Period) -> None:
    """Raises NotFound("catalog.period_unknown")."""
    call.authorise(place=period.place, missing=queries.NO_PERIOD, field="period_id")
    if not rules.keeps(call.actor.grants, Tier(period.tier), period.place):
        raise NotFound(queries.NO_PERIOD, "period_id")


def _tell(db: Session, call: Call, period: Period, before: Values, after: Values, reason: str = "") -> None:
    _announce(db, period, call.now)
    after = {"version": period.version, **after}
    audit.record(db, call, subject=period.period_id, place=period.place, reason=reason, before=before, after=after)


def _announce(db: Session, period: Period, now: dt.datetime) -> None:
    period.version += 1
    period.changed_at = now
    db.flush()
    outbox.announce(db, PERIOD_CHANGED, period.period_id, period_payload(period))


def window_of(values: Values) -> Window:
    return Window(values["selects_from"], values["selects_until"], values["due_on"])


# --- what nobody asks for: the clock, and billing ---------------------------------------------------------------------


def move_due_periods(db: Session, now: dt.datetime) -> int:
    """Open and close what the business clock says, once each. Returns how many steps were taken."""
    taken = 0
    for period in queries.lock_due_periods(db, now, AT_ONCE):
        window = Window(period.selects_from, period.selects_until, period.due_on)
        # After a long standstill a period may have to open and close at once; each step is told.
        while (act := rules.due_act(PeriodState(period.state), window, now)) is not None:
            period.state = rules.next_state(PeriodState(period.state), act)
            _announce(db, period, now)
            taken += 1
    return taken


def mark_billed(db: Session, period_id: uuid.UUID, now: dt.datetime) -> bool:
    """Billing has made all bills of the period. Returns whether that was news.

    Raises NotYet for a period that has not closed here: billing knows it from us, so only a restored database is behind.
    One that we have never made will not come by waiting.
    """
    period = queries.find_period(db, period_id)
    if period is None:
        return False
    if PeriodState(period.state) in rules.MAY_OFFER:
        raise NotYet
    if period.state != PeriodState.CLOSED:
        return False
    period.state = rules.next_state(PeriodState(period.state), Act.BILL)
    _announce(db, period, now)
    return True
