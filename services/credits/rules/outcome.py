"""What an evaluation says: amounts, what is missing, and why each number is what it is."""

from __future__ import annotations

import dataclasses
import enum
from decimal import Decimal
from typing import NamedTuple


class Reason(enum.StrEnum):
    """Why studied time earned less than it might. Stable codes, in the order in which they are reported."""

    NOT_STARTED = "not_started"
    OUTSIDE_WINDOW = "outside_window"
    QUIZ_UNANSWERED = "quiz_unanswered"
    REMAINDER_UNWATCHED = "remainder_unwatched"
    VIDEO_INCOMPLETE = "video_incomplete"
    UNDER_REVIEW = "under_review"  # held until a person has looked at conspicuous study; never of a document's evidence
    BELOW_THRESHOLD = "below_threshold"
    CAP_REACHED = "cap_reached"


REASON_ORDER = {reason: position for position, reason in enumerate(Reason)}


class TraceLine(NamedTuple):
    """A rule that changed a number: seconds of a video (by a gate) or hours of a course."""

    rule_id: str
    course: str
    video: str  # "" for a rule about the whole course
    unit: str  # SECONDS or HOURS
    before: str
    after: str
    why: str


@dataclasses.dataclass(frozen=True)
class Shortfall:
    """A requirement that is not met, and by how much."""

    rule_id: str
    measure: str  # HOURS, COUNT (of courses done) or SCORE (of the exam)
    missing: Decimal


@dataclasses.dataclass(frozen=True)
class CourseOutcome:
    """One course: what was studied, what of it passed window and gates, and what that earned."""

    key: str
    studied_seconds: int
    counted_seconds: int
    hours: Decimal
    done: bool
    rule_id: str  # the rule that earned the hours
    reasons: tuple[Reason, ...]


@dataclasses.dataclass(frozen=True)
class Outcome:
    courses: tuple[CourseOutcome, ...]  # in the pack's order, every course of the pack
    hours: Decimal
    requirement_met: bool
    shortfalls: tuple[Shortfall, ...]
    trace: tuple[TraceLine, ...]

    @property
    def courses_done(self) -> int:
        return sum(course.done for course in self.courses)
