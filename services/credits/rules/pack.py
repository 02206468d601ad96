"""A rule pack: the numbers of one scheme, each with its source (`domain.md` §4.1). Data only; `engine` applies it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
from collections.abc import Mapping
from decimal import Decimal


class Evidence(enum.StrEnum):
    """What a pack judges."""

    SEASON = "SEASON"  # watched videos of a programme's courses
    LEDGER = "LEDGER"  # entries of a year or a cycle
    ITEMS = "ITEMS"  # activities that earn by a table


class Kind(enum.StrEnum):
    """What a rule does. The engine applies kinds in a fixed order, whatever their order in the file."""

    VALIDITY = "VALIDITY"  # when study counts
    GATE = "GATE"  # what must be done before a video's time counts
    CONVERSION = "CONVERSION"  # how many seconds are an hour
    ACCRUAL = "ACCRUAL"  # what counted time earns
    ITEM_CAP = "ITEM_CAP"
    GROUP_CAP = "GROUP_CAP"
    TOTAL_CAP = "TOTAL_CAP"
    REQUIREMENT = "REQUIREMENT"
    HANDOVER = "HANDOVER"  # which national seasons' hours enter the local register, and as what


class Gate(enum.StrEnum):
    """What a gate asks of a video before its time counts."""

    QUIZZES = "QUIZZES"  # every quiz answered, and everything behind the first watched after its answer
    WHOLE_VIDEO = "WHOLE_VIDEO"  # every second watched


class Mode(enum.StrEnum):
    """How seconds become an amount."""

    THRESHOLD = "THRESHOLD"  # `amount` once `threshold` seconds are reached, else nothing
    STEP_FLOOR = "STEP_FLOOR"  # one hour for each full hour's worth of seconds
    PRORATA = "PRORATA"  # seconds divided by an hour's worth


class Measure(enum.StrEnum):
    SECONDS = "SECONDS"
    HOURS = "HOURS"
    COUNT = "COUNT"
    SCORE = "SCORE"  # of the programme's exam


class Status(enum.StrEnum):
    ACTIVE = "ACTIVE"
    SAMPLE = "SAMPLE"  # some number has no citable source, or answers a "what if"
    DRAFT = "DRAFT"  # not evaluable


class YearBoundary(enum.StrEnum):
    """To which year an hour belongs."""

    BY_EVENT_DATE = "BY_EVENT_DATE"  # the day of the study
    BY_RECOGNITION_DATE = "BY_RECOGNITION_DATE"  # the day on which the programme ends and its hours are recognised


@dataclasses.dataclass(frozen=True)
class Record:
    """What every rule carries: its name, what it does, its words, and where its numbers come from."""

    rule_id: str
    kind: Kind
    text: Mapping[str, str]  # {zh, en}: the rule in words
    source: str
    confidence: str


@dataclasses.dataclass(frozen=True)
class Rule(Record):
    """A rule about study. Which of the numbers are set depends on `kind`; the pack's schema checks that."""

    courses: tuple[str, ...]  # the courses it selects
    measure: Measure
    gate: Gate | None = None
    mode: Mode | None = None
    seconds_per_hour: int | None = None
    threshold: Decimal | None = None
    amount: Decimal | None = None
    cap: Decimal | None = None
    minimum: Decimal | None = None
    begins_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None

    def selects(self, course: str) -> bool:
        return course in self.courses


class Per(enum.StrEnum):
    """Over what a requirement is judged."""

    YEAR = "YEAR"
    CYCLE = "CYCLE"


@dataclasses.dataclass(frozen=True)
class Minimum:
    """At least so much of a measure: `total`, a category by its Chinese name, or a sum written 集中培训+远程培训."""

    measure: str
    amount: Decimal

    @property
    def parts(self) -> tuple[str, ...]:
        return () if self.measure == TOTAL else tuple(self.measure.split("+"))


TOTAL = "total"


@dataclasses.dataclass(frozen=True)
class LedgerRule(Record):
    """A rule about the entries of a year or a cycle."""

    per: Per
    requires: tuple[Minimum, ...] = ()
    category: str = ""  # of a GROUP_CAP: what is capped
    toward: str = ""  # of a GROUP_CAP: the requirement toward which no more than `cap` of it counts
    cap: Decimal | None = None
    hours_per_credit: Decimal | None = None  # of a CONVERSION
    minimum_hours: Decimal | None = None  # of a GATE that keeps probation training out: how much of it is due
    seasons: tuple[str, ...] = ()  # of a HANDOVER: the packs of the seasons whose hours are taken over
    hour_type: str = ""  # of a HANDOVER: what they are called in the local register
    training_form: str = ""


@dataclasses.dataclass(frozen=True)
class Rate:
    """`amount` for each full `every` of a unit, or for the case that `when` describes."""

    amount: Decimal
    unit: str = ""  # half_days, hours, years, count, ten_thousand_characters; "" for a case by itself
    every: Decimal = Decimal(1)
    when: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class ItemRule(Record):
    """What one activity of a table earns, and at most how much of it counts in a year."""

    rates: tuple[Rate, ...] = ()
    cap: Decimal | None = None
    declared_as: str = "DECLARATION"  # as which kind of evidence it is declared (`domain.md` §4.3 GX.SOURCES)


@dataclasses.dataclass(frozen=True)
class Pack:
    """One scheme. `version` is the hash of its content: evidence and version together reproduce every amount."""

    pack_id: str
    version: str
    titles: Mapping[str, str]
    status: Status
    valid_from: dt.date
    valid_to: dt.date | None
    unit: str  # HOUR or CREDIT
    quantum: Decimal  # amounts are rounded half up to this, once

    @property
    def records(self) -> tuple[Record, ...]:
        """Its rules, as far as they are alike in all packs."""
        raise NotImplementedError

    def find_rule(self, rule_id: str) -> Record | None:
        return next((rule for rule in self.records if rule.rule_id == rule_id), None)

    def is_valid_in(self, year: int) -> bool:
        return self.valid_from.year <= year and (self.valid_to is None or year <= self.valid_to.year)


@dataclasses.dataclass(frozen=True)
class SeasonPack(Pack):
    """A scheme that turns watched time into hours."""

    year_boundary: YearBoundary
    hour_type: str
    training_form: str
    source_kind: str
    courses: tuple[str, ...]  # in the order in which they use up a common cap
    rules: tuple[Rule, ...]

    def of_kind(self, kind: Kind) -> tuple[Rule, ...]:
        return self._by_kind.get(kind, ())

    @functools.cached_property
    def _by_kind(self) -> dict[Kind, tuple[Rule, ...]]:
        # Every step of every evaluation asks.
        return {kind: tuple(rule for rule in self.rules if rule.kind is kind) for kind in Kind}

    @property
    def records(self) -> tuple[Record, ...]:
        return self.rules

    @property
    def closes_at(self) -> dt.datetime | None:
        """When the last course's window shuts."""
        return max((rule.ends_at for rule in self.of_kind(Kind.VALIDITY) if rule.ends_at is not None), default=None)

    @property
    def seconds_per_hour(self) -> int:
        """The pack's conversion: how many seconds of counted study are worth one hour."""
        return self.of_kind(Kind.CONVERSION)[0].seconds_per_hour or 0

    def year_of(self, effective_on: dt.date, closes_on: dt.date) -> int:
        """The year that an hour earned on `effective_on` in a programme whose last day is `closes_on` belongs to."""
        by_event = self.year_boundary is YearBoundary.BY_EVENT_DATE
        return effective_on.year if by_event else closes_on.year


@dataclasses.dataclass(frozen=True)
class LedgerPack(Pack):
    """A scheme that says what a year or a cycle must hold."""

    dimension: str  # which label of an entry its measures speak of: training_form, hour_type or class
    categories: tuple[str, ...]
    rules: tuple[LedgerRule, ...]

    def of_kind(self, kind: Kind) -> tuple[LedgerRule, ...]:
        return tuple(rule for rule in self.rules if rule.kind is kind)

    def handover_of(self, season: str) -> LedgerRule | None:
        """The rule by which hours of this season's pack enter the register; without one they do not."""
        return next((rule for rule in self.of_kind(Kind.HANDOVER) if season in rule.seasons), None)

    @property
    def records(self) -> tuple[Record, ...]:
        return self.rules


@dataclasses.dataclass(frozen=True)
class ItemPack(Pack):
    """A scheme that pays activities by a table."""

    training_form: str
    rules: tuple[ItemRule, ...]

    def find_item(self, rule_id: str) -> ItemRule | None:
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)

    @property
    def records(self) -> tuple[Record, ...]:
        return self.rules
