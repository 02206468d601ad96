"""What a graded course is called in the ledger, and what is to be done with its hours. Pure rules; no I/O."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

from services.catalog.contract.courses import CourseType
from services.credits.contract.grades import GradeState

# How a course is held -> the training form that packs count (S2:147-148). A broadcast lesson and a micro-course are remote.
TRAINING_FORM: Final[dict[CourseType, str]] = {
    CourseType.REMOTE: "远程培训",
    CourseType.MICRO: "远程培训",
    CourseType.LIVE: "远程培训",
    CourseType.FACE_TO_FACE: "集中培训",
    CourseType.SCHOOL_BASED: "校本研修",
}


class Act(enum.StrEnum):
    """What the ledger needs so that it says what the grade says."""

    ENTER = "ENTER"
    TAKE_BACK = "TAKE_BACK"
    NOTHING = "NOTHING"


def decide(*, passed: bool, standing: bool, frozen: bool) -> tuple[Act, GradeState]:
    """What is to be done, and how the grade then stands. `standing`: an award of it is in the ledger. A frozen year
    takes nothing: its figures are changed by complaints alone."""
    if passed is standing:
        return Act.NOTHING, GradeState.ENTERED if passed else GradeState.NOTHING
    if frozen:
        return Act.NOTHING, GradeState.HELD if passed else GradeState.HELD_BACK
    return (Act.ENTER, GradeState.ENTERED) if passed else (Act.TAKE_BACK, GradeState.NOTHING)


def effective_day(graded_on: dt.date, year: int) -> dt.date:
    """The day from which the hours count: that of the grade, but inside the period's year, which they belong to."""
    return min(max(graded_on, dt.date(year, 1, 1)), dt.date(year, 12, 31))
