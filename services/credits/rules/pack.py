"""A rule pack: the numbers of one scheme, each with its source (`domain.md` §4.1). Data only; `engine` applies it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal


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


class Mode(enum.StrEnum):
    """How seconds become an amount."""

    THRESHOLD = "THRESHOLD"  # `amount` once `threshold` seconds are reached, else nothing
    STEP_FLOOR = "STEP_FLOOR"  # one hour for each full hour's worth of seconds
    PRORATA = "PRORATA"  # seconds divided by an hour's worth


class Measure(enum.StrEnum):
    SECONDS = "SECONDS"
    HOURS = "HOURS"
    COUNT = "COUNT"


class Status(enum.StrEnum):
    ACTIVE = "ACTIVE"
    SAMPLE = "SAMPLE"  # some number has no citable source, or answers a "what if"
    DRAFT = "DRAFT"  # not evaluable


class YearBoundary(enum.StrEnum):
    """To which year an hour belongs."""

    BY_EVENT_DATE = "BY_EVENT_DATE"  # the day of the study
    BY_RECOGNITION_DATE = "BY_RECOGNITION_DATE"  # the day on which the programme ends and its hours are recognised


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule record. Which of the numbers are set depends on `kind`; the pack's schema checks that."""

    rule_id: str
    kind: Kind
    courses: tuple[str, ...]  # the courses it selects
    measure: Measure
    text: Mapping[str, str]  # {zh, en}: the rule in words
    source: str
    confidence: str
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


@dataclasses.dataclass(frozen=True)
class Pack:
    """One scheme. `version` is the hash of its content: evidence and version together reproduce every amount."""

    pack_id: str
    version: str
    titles: Mapping[str, str]
    status: Status
    unit: str  # HOUR or CREDIT
    quantum: Decimal  # amounts are rounded half up to this, once
    year_boundary: YearBoundary
    hour_type: str
    training_form: str
    source_kind: str
    courses: tuple[str, ...]  # in the order in which they use up a common cap
    rules: tuple[Rule, ...]

    def of_kind(self, kind: Kind) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.kind is kind)

    def find_rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)

    @property
    def seconds_per_hour(self) -> int:
        """The pack's conversion: how many seconds of counted study are worth one hour."""
        return self.of_kind(Kind.CONVERSION)[0].seconds_per_hour or 0

    def year_of(self, effective_on: dt.date, closes_on: dt.date) -> int:
        """The year that an hour earned on `effective_on` in a programme whose last day is `closes_on` belongs to."""
        by_event = self.year_boundary is YearBoundary.BY_EVENT_DATE
        return effective_on.year if by_event else closes_on.year
