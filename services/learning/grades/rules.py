"""When a choice can be graded, and what a score looks like. Pure rules; no I/O."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from services.learning.contract.selection import ChoiceState

GRADING: Final = frozenset({"TEACHING", "GRADED"})  # the catalogue's states of a period whose courses are held
GRADED: Final = frozenset({ChoiceState.PASSED, ChoiceState.FAILED})
_SCORE: Final = re.compile(r"(100(\.0)?|[0-9]{1,2}(\.[0-9])?)", re.ASCII)


def grading_refusal(period_state: str, state: ChoiceState, passed: bool, reason: str) -> str:
    """The code of the first guard that refuses this grade, or "". A grade that turns over an earlier one takes a reason."""
    if period_state == "ARCHIVED":
        return "learning.grading_over"
    if period_state not in GRADING:
        return "learning.grading_not_open"
    if state not in GRADED and state is not ChoiceState.ADMITTED:
        return "learning.not_admitted"
    if state in GRADED and (state is ChoiceState.PASSED) is not passed and not reason:
        return "learning.grade_reason_missing"
    return ""


def score_of(text: str) -> Decimal | None:
    """The score that a cell tells; None for an empty one. Raises ValueError for what is none."""
    if not text:
        return None
    if not _SCORE.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)
