"""What activities earn by a pack's table, and how much of each counts in a year."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from decimal import Decimal

from services.credits.rules.amounts import ZERO, rounded, shown
from services.credits.rules.ledger import Step
from services.credits.rules.pack import ItemPack, ItemRule, Rate


@dataclasses.dataclass(frozen=True)
class Item:
    """One activity: how much of it (`units`, such as {"half_days": 8}) or which case it is (such as {"level": "province"})."""

    rule_id: str
    units: Mapping[str, Decimal]
    case: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class ItemAmount:
    """What all activities under one rule earn together in the year."""

    rule_id: str
    amount: Decimal
    capped: bool


@dataclasses.dataclass(frozen=True)
class ItemsOutcome:
    total: Decimal
    items: tuple[ItemAmount, ...]  # in the order in which they were first named
    trace: tuple[Step, ...]


@dataclasses.dataclass(frozen=True)
class Share:
    """What one activity adds to its year, after those before it have used up what they could of its cap."""

    rule_id: str
    amount: Decimal
    trace: tuple[Step, ...]


class ItemError(ValueError):
    """The activity fits no line of the table; `index` is its place, `field` what is wrong about it."""

    def __init__(self, index: int, field: str, why: str) -> None:
        super().__init__(why)
        self.index = index
        self.field = field


def evaluate(pack: ItemPack, items: Iterable[Item]) -> ItemsOutcome:
    """What one year's activities earn. Raises ItemError for one that the table does not know."""
    earned: dict[str, Decimal] = {}
    trace: list[Step] = []
    for index, item in enumerate(items):
        rule = pack.find_item(item.rule_id)
        if rule is None:
            raise ItemError(index, "item", f"the pack has no {item.rule_id}")
        before = earned.get(rule.rule_id, ZERO)
        earned[rule.rule_id] = before + _earned(index, rule, item)
        trace.append(Step(rule.rule_id, shown(before), shown(earned[rule.rule_id]), _told(item)))
    amounts = tuple(_capped(pack, rule_id, amount, trace) for rule_id, amount in earned.items())
    return ItemsOutcome(sum((item.amount for item in amounts), ZERO), amounts, tuple(trace))


def shares(pack: ItemPack, items: Iterable[Item]) -> tuple[Share, ...]:
    """What each of a year's activities adds, in their order: together what `evaluate` says of all. Raises ItemError."""
    earned: dict[str, Decimal] = {}
    found = []
    for index, item in enumerate(items):
        rule = pack.find_item(item.rule_id)
        if rule is None:
            raise ItemError(index, "item", f"the pack has no {item.rule_id}")
        alone, before = _earned(index, rule, item), earned.get(rule.rule_id, ZERO)
        earned[rule.rule_id] = before + alone
        used, amount = _counted(pack, rule, before), _counted(pack, rule, before + alone)
        trace = [Step(rule.rule_id, "0.00", shown(alone), _told(item))]
        if rule.cap is not None and amount - used != alone:
            why = f"at most {shown(rule.cap)} a year, {shown(used)} of it before"
            trace.append(Step(rule.rule_id, shown(alone), shown(amount - used), why))
        found.append(Share(rule.rule_id, amount - used, tuple(trace)))
    return tuple(found)


def _earned(index: int, rule: ItemRule, item: Item) -> Decimal:
    rates = [rate for rate in rule.rates if _fits(rate, item)]
    if not rates:
        raise ItemError(index, *_fault(rule, item))
    # A line for each unit that was given; a case by itself has one line.
    return sum((_pay(rate, item) for rate in rates), ZERO)


def _fits(rate: Rate, item: Item) -> bool:
    unit_fits = rate.unit in item.units if rate.unit else not item.units
    return unit_fits and dict(rate.when) == dict(item.case)


def _fault(rule: ItemRule, item: Item) -> tuple[str, str]:
    """The field that no line of the table has, and what would be right."""
    cases = {name: sorted({rate.when[name] for rate in rule.rates if name in rate.when}) for name in item.case}
    for name, value in item.case.items():
        if value not in cases[name]:
            return name, f"{rule.rule_id} knows {name} {', '.join(cases[name]) or 'not'}"
    units = sorted({rate.unit for rate in rule.rates if rate.unit})
    names = sorted({name for rate in rule.rates for name in rate.when})
    return "item", f"{rule.rule_id} is counted by {', '.join([*units, *names])}"


def _pay(rate: Rate, item: Item) -> Decimal:
    if not rate.unit:
        return rate.amount
    return (item.units[rate.unit] // rate.every) * rate.amount


def _told(item: Item) -> str:
    units = [f"{amount} {unit}" for unit, amount in item.units.items()]
    return ", ".join([*units, *(f"{name} {value}" for name, value in item.case.items())])


def _capped(pack: ItemPack, rule_id: str, amount: Decimal, trace: list[Step]) -> ItemAmount:
    rule = pack.find_item(rule_id)
    assert rule is not None  # it earned something
    amount, counted = rounded(amount, pack.quantum), _counted(pack, rule, amount)
    if counted < amount:
        trace.append(Step(rule_id, shown(amount), shown(counted), f"at most {shown(counted)} a year"))
    return ItemAmount(rule_id, counted, capped=counted < amount)


def _counted(pack: ItemPack, rule: ItemRule, amount: Decimal) -> Decimal:
    """How much of what was earned under the rule counts in a year."""
    amount = rounded(amount, pack.quantum)
    return amount if rule.cap is None else min(amount, rule.cap)
