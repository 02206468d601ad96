"""What the ledger needs of a grade, in every case."""

from __future__ import annotations

import datetime as dt

import pytest

from services.catalog.contract.courses import HOUR_TYPE_NAMES, CourseType, HourType
from services.credits.contract.grades import GradeState
from services.credits.grades.rules import TRAINING_FORM, Act, decide, effective_day


@pytest.mark.parametrize(
    ("passed", "standing", "frozen", "act", "state"),
    [
        (True, False, False, Act.ENTER, GradeState.ENTERED),
        (True, True, False, Act.NOTHING, GradeState.ENTERED),
        (True, True, True, Act.NOTHING, GradeState.ENTERED),
        (True, False, True, Act.NOTHING, GradeState.HELD),
        (False, True, False, Act.TAKE_BACK, GradeState.NOTHING),
        (False, True, True, Act.NOTHING, GradeState.HELD_BACK),
        (False, False, False, Act.NOTHING, GradeState.NOTHING),
        (False, False, True, Act.NOTHING, GradeState.NOTHING),
    ],
)
def test_every_case(passed: bool, standing: bool, frozen: bool, act: Act, state: GradeState) -> None:
    assert decide(passed=passed, standing=standing, frozen=frozen) == (act, state)


def test_hours_count_inside_the_year_of_the_period() -> None:
    for graded, effective in (
        (dt.date(2023, 6, 1), dt.date(2023, 6, 1)),
        (dt.date(2024, 1, 5), dt.date(2023, 12, 31)),
        (dt.date(2022, 12, 30), dt.date(2023, 1, 1)),
    ):
        assert effective_day(graded, 2023) == effective


def test_every_course_and_hour_type_has_its_word() -> None:
    assert set(TRAINING_FORM) == set(CourseType)
    assert set(HOUR_TYPE_NAMES) == set(HourType)
