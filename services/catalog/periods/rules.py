"""Pure rules of periods: states, windows, who keeps which tier, what may still change (`domain.md` §3.12); no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import Any

from services.catalog.contract.periods import OfferingState, PeriodState, Tier
from services.shared.actor import Grant, Role, covers
from services.shared.clock import BEIJING
from services.shared.errors import Conflict, InvalidInput, NotAllowed

# "Open a period and enter its grades A10 (city), A9 (district)" (`domain.md` §1.2).
TIER_OF: dict[Role, Tier] = {Role.CITY_CENTRE: Tier.CITY, Role.DISTRICT_INSTITUTION: Tier.DISTRICT}
KEEPER_OF: dict[Tier, Role] = {tier: role for role, tier in TIER_OF.items()}


class Act(enum.StrEnum):
    """What happens to a period, or in it."""

    PUBLISH = "PUBLISH"
    OPEN = "OPEN"  # by the clock
    CLOSE = "CLOSE"  # by the clock
    BILL = "BILL"  # when billing has made its bills
    TEACH = "TEACH"
    GRADE = "GRADE"
    ARCHIVE = "ARCHIVE"


STEPS: dict[Act, tuple[PeriodState, PeriodState]] = {
    Act.PUBLISH: (PeriodState.PLANNED, PeriodState.PUBLISHED),
    Act.OPEN: (PeriodState.PUBLISHED, PeriodState.SELECTING),
    Act.CLOSE: (PeriodState.SELECTING, PeriodState.CLOSED),
    Act.BILL: (PeriodState.CLOSED, PeriodState.BILLED),
    Act.TEACH: (PeriodState.BILLED, PeriodState.TEACHING),
    Act.GRADE: (PeriodState.TEACHING, PeriodState.GRADED),
    Act.ARCHIVE: (PeriodState.GRADED, PeriodState.ARCHIVED),
}
# Whoever chose has chosen what was shown; the rest is settled with the period's bills.
MAY_OFFER = frozenset({PeriodState.PLANNED, PeriodState.PUBLISHED, PeriodState.SELECTING})
# Billed, whatever has followed.
BILLED = frozenset({PeriodState.BILLED, PeriodState.TEACHING, PeriodState.GRADED, PeriodState.ARCHIVED})
# Shown to teachers: what is only planned is the keeper's own affair.
SHOWN = frozenset(PeriodState) - {PeriodState.PLANNED}


@dataclasses.dataclass(frozen=True)
class Window:
    """Selection from an instant up to, not including, another; the last day to pay."""

    selects_from: dt.datetime
    selects_until: dt.datetime
    due_on: dt.date


def next_state(state: PeriodState, act: Act) -> PeriodState:
    """Raises Conflict("catalog.period_state")."""
    before, after = STEPS[act]
    if state is not before:
        raise Conflict("catalog.period_state")
    return after


def due_act(state: PeriodState, window: Window, now: dt.datetime) -> Act | None:
    """What the clock demands of a period; two steps are two answers."""
    if state is PeriodState.PUBLISHED and window.selects_from <= now:
        return Act.OPEN
    if state is PeriodState.SELECTING and window.selects_until <= now:
        return Act.CLOSE
    return None


def tier_opened_by(grants: Iterable[Grant], place: str) -> Tier:
    """The tier of a period that the caller opens at `place`, where the centre or institution itself stands.

    Raises NotAllowed("catalog.period_place"): nobody opens a period for a place below the own.
    """
    for grant in grants:
        if grant.place == place and grant.role in TIER_OF:
            return TIER_OF[grant.role]
    raise NotAllowed("catalog.period_place", "place")


def places_above(place: str) -> list[str]:
    """A place and all that it lies in: whose periods concern somebody there."""
    steps = place.split("/")
    return ["/".join(steps[: length + 1]) for length in range(len(steps))]


def keeps(grants: Iterable[Grant], tier: Tier, place: str) -> bool:
    """Whether a caller keeps the periods of this tier there: a city centre has no say in a district's."""
    return any(grant.role is KEEPER_OF[tier] and covers(grant.place, place) for grant in grants)


def require_window(window: Window, now: dt.datetime) -> None:
    """Of a period that is planned. Raises InvalidInput naming the field."""
    for name in ("selects_from", "selects_until"):
        _require_midnight(getattr(window, name), name)
    if window.selects_from >= window.selects_until:
        raise InvalidInput("catalog.window_order", "selects_until")
    # Until the end of the due day a bill can be paid; the last day of selection is the day before `selects_until`.
    if window.due_on < window.selects_until.astimezone(BEIJING).date():
        raise InvalidInput("catalog.window_order", "due_on")
    if window.selects_until <= now:
        raise InvalidInput("catalog.window_past", "selects_until")


def _require_midnight(instant: dt.datetime, field: str) -> None:
    if instant.astimezone(BEIJING).time() != dt.time():
        raise InvalidInput("catalog.window_midnight", field)


def require_revision(
    state: PeriodState, old: Mapping[str, Any], new: Mapping[str, Any], window: Window, now: dt.datetime
) -> None:
    """Whether a period may become `new`: before its window opens anything, while it is open only the end and the due day.

    Raises Conflict("catalog.period_state") afterwards, Conflict("catalog.window_begun") for what has begun.
    """
    if state not in MAY_OFFER:
        raise Conflict("catalog.period_state")
    if state is PeriodState.SELECTING:
        for name in new:
            if name not in ("selects_until", "due_on") and old[name] != new[name]:
                raise Conflict("catalog.window_begun", name)
    elif state is PeriodState.PUBLISHED and old["selects_from"] != window.selects_from and window.selects_from < now:
        # What was announced as coming cannot have begun yesterday.
        raise InvalidInput("catalog.window_past", "selects_from")
    require_window(window, now)


def require_offering_time(state: PeriodState) -> None:
    """Raises Conflict("catalog.period_state") once selection is over."""
    if state not in MAY_OFFER:
        raise Conflict("catalog.period_state")


def require_open(state: OfferingState) -> None:
    """Raises Conflict("catalog.offering_withdrawn")."""
    if state is not OfferingState.OPEN:
        raise Conflict("catalog.offering_withdrawn")


def require_not_narrowed(
    state: PeriodState, old: tuple[int | None, Mapping[str, Any]], new: tuple[int | None, Mapping[str, Any]]
) -> None:
    """While teachers choose, places may only be added and the audience stays. Raises Conflict("catalog.offering_narrowed")."""
    if state is not PeriodState.SELECTING:
        return
    if old[1] != new[1]:
        raise Conflict("catalog.offering_narrowed", "audience")
    if new[0] is not None and (old[0] is None or new[0] < old[0]):
        raise Conflict("catalog.offering_narrowed", "capacity")


def require_audience_inside(place: str, place_ids: Iterable[str], school_places: Iterable[str]) -> None:
    """A district's courses are for its own schools. Raises InvalidInput("catalog.audience_outside")."""
    if not all(covers(place, each) for each in place_ids):
        raise InvalidInput("catalog.audience_outside", "audience.place_ids")
    if not all(covers(place, each) for each in school_places):
        raise InvalidInput("catalog.audience_outside", "audience.school_ids")
