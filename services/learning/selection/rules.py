"""Who may choose which course, and when (`domain.md` §3.12). Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from services.learning.audience import is_for
from services.learning.contract.selection import BUCKETS, Bucket, ChoiceState, ChosenBy

PUBLISHED: Final = frozenset({"PUBLISHED", "SELECTING"})  # the catalogue's states in which the window decides
MEMBER: Final = frozenset({"PENDING", "VERIFIED"})  # of a school: whoever was removed or rejected belongs to none
CITY, DISTRICT = "CITY", "DISTRICT"
ON_DUTY: Final = "ON_DUTY"  # org's word for 在职; whoever is anything else is archived


@dataclasses.dataclass(frozen=True)
class Window:
    """When a period's courses can be chosen. `closed`: its end has been announced, and stays the end whatever is told later."""

    state: str
    selects_from: dt.datetime
    selects_until: dt.datetime
    closed: bool


@dataclasses.dataclass(frozen=True)
class Offer:
    """What of an offering decides. `place`: the city or district of its period."""

    tier: str
    place: str
    audience: Mapping[str, Any]
    capability: bool
    withdrawn: bool


@dataclasses.dataclass(frozen=True)
class Chooser:
    """The teacher as our projections know her."""

    membership: str
    place: str
    school_id: uuid.UUID | None
    segment: str
    subject: str
    employment: str = ON_DUTY


def window_refusal(window: Window, now: dt.datetime) -> str:
    """The code by which the window refuses, or "". The ending instant itself is already outside."""
    if window.closed or now >= window.selects_until:
        return "learning.selection_over"
    if now < window.selects_from or window.state == "PLANNED":
        return "learning.selection_not_open"
    return "" if window.state in PUBLISHED else "learning.selection_over"


def is_visible(offer: Offer, chooser_place: str) -> bool:
    """A city's courses are for its teachers, a district's are seen in the district only (S3, 区级培训管理)."""
    return chooser_place == offer.place or chooser_place.startswith(offer.place + "/")


def choice_refusal(
    window: Window, offer: Offer, chooser: Chooser, by: ChosenBy, *, held: bool, now: dt.datetime
) -> str:
    """The code of the first guard that refuses this choice, or ""; seats are counted elsewhere."""
    if chooser.membership not in MEMBER or chooser.school_id is None:
        return "learning.choice_needs_school"
    if chooser.employment != ON_DUTY:
        return "learning.archived"  # also at a new school, until it sets her on duty (S3:187-192)
    if not is_visible(offer, chooser.place):
        return "learning.offering_unknown"
    if refusal := window_refusal(window, now):
        return refusal
    if offer.withdrawn:
        return "learning.offering_withdrawn"
    if offer.capability and by is ChosenBy.ADMIN:
        return "learning.own_choice_only"  # S3:366, 371
    if not is_for(offer.audience, chooser):
        return "learning.not_in_audience"
    return "learning.special_user" if held else ""


# What the charging institution can still take away once the window is over (S3:396).
VOIDABLE: Final = frozenset({ChoiceState.CHOSEN, ChoiceState.BILLED, ChoiceState.ADMITTED, ChoiceState.UNPAID})

# What news of billing makes of a choice. Billing tells whole states with versions, so a step may be left out; what is
# void or graded stays so.
_CHARGED: Final = frozenset({ChoiceState.CHOSEN, ChoiceState.BILLED, ChoiceState.ADMITTED, ChoiceState.UNPAID})
_BY_CHARGE: Final = frozenset({ChoiceState.BILLED, ChoiceState.ADMITTED, ChoiceState.UNPAID, ChoiceState.VOID})


def state_after_charge(state: ChoiceState, charge: ChoiceState) -> ChoiceState:
    """The choice's state after news of its charge. Raises ValueError for a charge that there is not."""
    if charge not in _BY_CHARGE:
        raise ValueError(charge)
    return charge if state in _CHARGED else state


def bucket_of(state: ChoiceState) -> Bucket:
    return next(bucket for bucket, states in BUCKETS.items() if state in states)


@dataclasses.dataclass(frozen=True)
class Line:
    """What one course costs its teacher's school, and brings: hours, and yuan."""

    charging_unit_id: uuid.UUID
    hours: Decimal
    fee: Decimal
    material_fee: Decimal
    public_course: bool


@dataclasses.dataclass(frozen=True)
class Cost:
    """Due to one charging unit. `due` is what the school pays by one notice; `apart`: public courses' material fees."""

    charging_unit_id: uuid.UUID
    courses: int
    hours: Decimal
    due: Decimal
    apart: Decimal


def costs(lines: Iterable[Line]) -> list[Cost]:
    """What lines come to, by charging unit: training fees and material fees, without public courses' material (S3:409)."""
    found: dict[uuid.UUID, Cost] = {}
    for line in lines:
        before = found.get(line.charging_unit_id, Cost(line.charging_unit_id, 0, Decimal(0), Decimal(0), Decimal(0)))
        apart = line.material_fee if line.public_course else Decimal(0)
        found[line.charging_unit_id] = Cost(
            line.charging_unit_id,
            before.courses + 1,
            before.hours + line.hours,
            before.due + line.fee + line.material_fee - apart,
            before.apart + apart,
        )
    return [found[unit] for unit in sorted(found)]


def pass_rate(passed: int, failed: int) -> str | None:
    """Of those graded, in percent with one decimal; None before anybody is (S3, 课程通过率统计)."""
    graded = passed + failed
    return f"{Decimal(passed * 100) / graded:.1f}" if graded else None
