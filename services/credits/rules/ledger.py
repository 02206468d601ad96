"""What the entries of a year or a cycle come to under a pack, and what is still missing.

The order of `domain.md` §4.1: normalise, gates (probation), conversion with its one rounding, caps, requirements.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from services.credits.rules.amounts import ZERO, rounded, shown
from services.credits.rules.pack import TOTAL, Kind, LedgerPack, LedgerRule, Minimum, Per


@dataclasses.dataclass(frozen=True)
class Entry:
    """One amount of a year. `label` is what it is called in the pack's own dimension, "" for nothing of it."""

    year: int
    unit: str  # HOUR or CREDIT
    amount: Decimal
    label: str
    probation: bool = False


@dataclasses.dataclass(frozen=True)
class Lack:
    """A requirement that is not met, and by how much."""

    rule_id: str
    measure: str
    missing: Decimal


@dataclasses.dataclass(frozen=True)
class Step:
    """A rule that changed a number."""

    rule_id: str
    before: str
    after: str
    why: str


@dataclasses.dataclass(frozen=True)
class Span:
    """A year, or the whole cycle (`year` is then None)."""

    year: int | None
    total: Decimal
    amounts: dict[str, Decimal]  # by category, as they were earned
    lacks: tuple[Lack, ...]

    @property
    def met(self) -> bool:
        return not self.lacks


@dataclasses.dataclass(frozen=True)
class Probation:
    """Training of a teacher's first year: due by itself, and never part of a cycle."""

    rule_id: str
    hours: Decimal
    required: Decimal

    @property
    def met(self) -> bool:
        return self.hours >= self.required


@dataclasses.dataclass(frozen=True)
class LedgerOutcome:
    years: tuple[Span, ...]
    cycle: Span
    probation: Probation | None
    trace: tuple[Step, ...]


class UnitError(ValueError):
    """The pack has no conversion from the entry's unit; `index` is the entry's."""

    def __init__(self, index: int, unit: str) -> None:
        super().__init__(f"the pack converts no {unit}")
        self.index = index
        self.unit = unit


@dataclasses.dataclass(frozen=True)
class _Counted:
    year: int
    label: str
    amount: Decimal


def evaluate(pack: LedgerPack, years: Sequence[int], entries: Iterable[Entry]) -> LedgerOutcome:
    """Judge the entries of `years`, which together are the cycle; entries of other years are not looked at.

    Raises UnitError for an entry in a unit that the pack cannot convert. The order of entries makes no difference.
    """
    given = list(entries)
    trace: list[Step] = []
    probation = _probation(pack, given, trace)
    counted = [
        _Counted(entry.year, entry.label, _converted(pack, index, entry, trace))
        for index, entry in enumerate(given)
        if not entry.probation
    ]
    spans = tuple(
        _span(pack, Per.YEAR, year, [entry for entry in counted if entry.year == year], trace)
        for year in sorted(set(years))
    )
    cycle = _span(pack, Per.CYCLE, None, [entry for entry in counted if entry.year in set(years)], trace)
    return LedgerOutcome(spans, cycle, probation, tuple(trace))


def _probation(pack: LedgerPack, entries: Sequence[Entry], trace: list[Step]) -> Probation | None:
    rule = next(iter(pack.of_kind(Kind.GATE)), None)
    if rule is None or rule.minimum_hours is None:
        return None
    hours = ZERO
    for entry in entries:
        if entry.probation:
            hours += entry.amount if entry.unit == "HOUR" else entry.amount * _hours_per_credit(pack)
            why = "probation training is registered, and counts in no year and no cycle"
            trace.append(Step(rule.rule_id, shown(entry.amount), "0.00", why))
    return Probation(rule.rule_id, hours, rule.minimum_hours)


def _hours_per_credit(pack: LedgerPack) -> Decimal:
    rules = pack.of_kind(Kind.CONVERSION)
    return (rules[0].hours_per_credit if rules else None) or Decimal(1)


def convert(pack: LedgerPack, unit: str, amount: Decimal) -> tuple[Decimal, Step | None]:
    """The amount in the pack's unit, rounded once, and the rule that converted it. Raises UnitError."""
    if unit == pack.unit:
        return rounded(amount, pack.quantum), None
    # What was earned in hours is counted in credits by the pack's own rule; the other way is an act (`exchange`).
    rule = _conversion(pack) if pack.unit == "CREDIT" else None
    if rule is None:
        raise UnitError(0, unit)
    return _by_rule(rule, pack, amount)


@dataclasses.dataclass(frozen=True)
class Exchange:
    """An amount in another unit, the rule that made it so, and whose rule that is."""

    amount: Decimal
    step: Step
    pack: LedgerPack


def exchange(pack: LedgerPack, origin: LedgerPack | None, unit: str, amount: Decimal) -> Exchange:
    """An amount of another unit in the pack's, rounded once, by the pack's own conversion or else by that of the pack under
    which it was earned: Guangxi says what its credits are in hours, Guangdong says nothing of credits.

    Raises UnitError where neither has one, and for an amount that is in the pack's unit.
    """
    for giver in (pack, origin):
        rule = _conversion(giver) if giver else None
        if giver and rule and unit != pack.unit:
            converted, step = _by_rule(rule, pack, amount)
            return Exchange(converted, step, giver)
    raise UnitError(0, unit)


def _conversion(pack: LedgerPack) -> LedgerRule | None:
    return next((rule for rule in pack.of_kind(Kind.CONVERSION) if rule.hours_per_credit), None)


def _by_rule(rule: LedgerRule, pack: LedgerPack, amount: Decimal) -> tuple[Decimal, Step]:
    """An amount in the unit that is not the pack's, in the pack's."""
    assert rule.hours_per_credit is not None  # a conversion is found by it
    to_credits = pack.unit == "CREDIT"
    converted = rounded(amount / rule.hours_per_credit if to_credits else amount * rule.hours_per_credit, pack.quantum)
    rate = f"{shown(amount)} {'hours' if to_credits else 'credits'} at {rule.hours_per_credit.normalize():f} hours a credit"
    return converted, Step(rule.rule_id, shown(amount), shown(converted), rate)


def _converted(pack: LedgerPack, index: int, entry: Entry, trace: list[Step]) -> Decimal:
    try:
        amount, step = convert(pack, entry.unit, entry.amount)
    except UnitError as error:
        raise UnitError(index, error.unit) from None
    trace += [step] if step else []
    return amount


def _span(pack: LedgerPack, per: Per, year: int | None, entries: Sequence[_Counted], trace: list[Step]) -> Span:
    amounts = {category: _sum(entries, (category,)) for category in pack.categories}
    total = sum((entry.amount for entry in entries), ZERO)
    lacks = [
        Lack(rule.rule_id, minimum.measure, minimum.amount - reached)
        for rule in pack.of_kind(Kind.REQUIREMENT)
        if rule.per is per
        for minimum in rule.requires
        if (reached := _reached(pack, rule, minimum, entries, total, trace)) < minimum.amount
    ]
    return Span(year, total, amounts, tuple(lacks))


def _reached(
    pack: LedgerPack,
    rule: LedgerRule,
    minimum: Minimum,
    entries: Sequence[_Counted],
    total: Decimal,
    trace: list[Step],
) -> Decimal:
    if minimum.measure == TOTAL:
        return total
    reached = ZERO
    for category in minimum.parts:
        amount = _sum(entries, (category,))
        for cap in pack.of_kind(Kind.GROUP_CAP):
            if cap.cap is not None and cap.toward == rule.rule_id and cap.category == category and amount > cap.cap:
                why = f"at most {shown(cap.cap)} of {category} counts toward {minimum.measure}"
                trace.append(Step(cap.rule_id, shown(amount), shown(cap.cap), why))
                amount = cap.cap
        reached += amount
    return reached


def _sum(entries: Iterable[_Counted], labels: Sequence[str]) -> Decimal:
    return sum((entry.amount for entry in entries if entry.label in labels), ZERO)


def shown_span(span: Span) -> dict[str, Any]:
    """A year or a cycle as plain JSON: what is met, what is missing."""
    return {
        "met": span.met,
        "total": shown(span.total),
        "amounts": {category: shown(amount) for category, amount in span.amounts.items()},
        "shortfalls": [
            {"rule_id": lack.rule_id, "measure": lack.measure, "missing": shown(lack.missing)} for lack in span.lacks
        ],
    }


def shown_steps(trace: Iterable[Step]) -> list[dict[str, str]]:
    """Every rule that changed a number, as plain JSON."""
    return [dataclasses.asdict(step) for step in trace]
