"""Pure rules of verification: what a year shows, and when it may still change; no I/O."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.credits.contract.verification import ComplaintState, RequirementStatus, YearState
from services.credits.rules.amounts import ZERO, shown
from services.credits.rules.ledger import LedgerOutcome, Span
from services.credits.rules.pack import TOTAL, Kind, LedgerPack, Per
from services.shared.errors import Conflict


class Window(enum.StrEnum):
    """Where now lies in the life of a year."""

    OPEN = "OPEN"
    COMPLAINTS = "COMPLAINTS"
    OVER = "OVER"


def window_of(closes_at: dt.datetime, complaints_until: dt.datetime, now: dt.datetime) -> Window:
    """Before the closing, within the days for complaints, or after them; each instant belongs to what it begins."""
    if now < closes_at:
        return Window.OPEN
    return Window.COMPLAINTS if now < complaints_until else Window.OVER


def state_of(stored: YearState | None, window: Window) -> YearState:
    """The state that is shown: a snapshot is final once nobody can complain any more."""
    if stored is None:
        return YearState.OPEN
    return YearState.FINAL if window is Window.OVER else stored


class ComplaintAct(enum.StrEnum):
    ASSIGN = "ASSIGN"
    ANSWER = "ANSWER"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"


# Whatever is not listed is refused (`domain.md` §3.18).
COMPLAINT_TRANSITIONS: dict[tuple[ComplaintState, ComplaintAct], ComplaintState] = {
    (ComplaintState.FILED, ComplaintAct.ASSIGN): ComplaintState.ASSIGNED,
    (ComplaintState.ASSIGNED, ComplaintAct.ASSIGN): ComplaintState.ASSIGNED,  # by another handler
    (ComplaintState.ASSIGNED, ComplaintAct.ANSWER): ComplaintState.ANSWERED,
    (ComplaintState.ANSWERED, ComplaintAct.CLOSE): ComplaintState.CLOSED,
    (ComplaintState.ANSWERED, ComplaintAct.REOPEN): ComplaintState.FILED,
}


def next_complaint_state(state: ComplaintState, act: ComplaintAct) -> ComplaintState:
    """Raises Conflict("credits.complaint_state") for whatever is not listed."""
    try:
        return COMPLAINT_TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("credits.complaint_state") from None


def snapshot_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical form: what was frozen can be recognised for ever."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def required(pack: LedgerPack, per: Per) -> list[dict[str, str]]:
    """Every minimum that the pack states of a year, or of a cycle: what a frozen figure was measured against."""
    return [
        {"rule_id": rule.rule_id, "measure": minimum.measure, "required": shown(minimum.amount)}
        for rule in pack.of_kind(Kind.REQUIREMENT)
        if rule.per is per
        for minimum in rule.requires
    ]


def matrix(pack: LedgerPack, outcome: LedgerOutcome, this_year: int) -> list[dict[str, Any]]:
    """The page of category by year (Guangxi's 我的学分): a required figure only where the pack states one for the category.

    Each row is a category, with the amount, the requirement and the status of each year and of the cycle; the last row is
    the total.
    """
    return [
        {
            "category": category,
            "years": [
                {"year": span.year, **_cell(pack, Per.YEAR, category, span, _moment(span.year, this_year))}
                for span in outcome.years
            ],
            "cycle": _cell(pack, Per.CYCLE, category, outcome.cycle, _cycle_moment(outcome, this_year)),
        }
        for category in (*pack.categories, TOTAL)
    ]


class _Moment(enum.Enum):
    AHEAD = enum.auto()
    NOW = enum.auto()
    OVER = enum.auto()


def _moment(year: int | None, this_year: int) -> _Moment:
    assert year is not None  # a year's span has one
    if year == this_year:
        return _Moment.NOW
    return _Moment.OVER if year < this_year else _Moment.AHEAD


def _cycle_moment(outcome: LedgerOutcome, this_year: int) -> _Moment:
    years = [span.year for span in outcome.years if span.year is not None]
    if this_year < min(years):
        return _Moment.AHEAD
    return _Moment.NOW if this_year <= max(years) else _Moment.OVER


def _cell(pack: LedgerPack, per: Per, category: str, span: Span, moment: _Moment) -> dict[str, Any]:
    amount = span.total if category == TOTAL else span.amounts.get(category, ZERO)
    required = _required(pack, per, category)
    return {
        "amount": shown(amount),
        "required": None if required is None else shown(required),
        "status": _status(amount, required, moment),
    }


def _required(pack: LedgerPack, per: Per, category: str) -> Decimal | None:
    """The minimum that is stated for just this category; a sum of categories states none for its parts."""
    stated = [
        minimum.amount
        for rule in pack.of_kind(Kind.REQUIREMENT)
        if rule.per is per
        for minimum in rule.requires
        if minimum.measure == category
    ]
    return max(stated, default=None)


def _status(amount: Decimal, required: Decimal | None, moment: _Moment) -> RequirementStatus:
    if required is None:
        return RequirementStatus.NO_REQUIREMENT
    if amount >= required:
        return RequirementStatus.COMPLETED
    if moment is _Moment.OVER:
        return RequirementStatus.INCOMPLETE
    return RequirementStatus.STUDYING if amount else RequirementStatus.NOT_STARTED
