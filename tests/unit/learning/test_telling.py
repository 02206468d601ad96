"""By when credits must be told of study."""

from __future__ import annotations

import datetime as dt

import pytest

from services.learning.study.rules import telling
from services.shared import clock

CLOSES = clock.parse_instant("2023-03-01T00:00:00+08:00")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2023-01-10T10:00:00+08:00", "2023-01-11T00:00:00+08:00"),
        ("2023-01-10T23:59:59+08:00", "2023-01-11T00:00:00+08:00"),
        ("2023-01-11T00:00:00+08:00", "2023-01-12T00:00:00+08:00"),
        ("2022-12-31T23:58:00+08:00", "2023-01-01T00:00:00+08:00"),
        ("2023-02-28T23:58:00+08:00", "2023-03-01T00:00:00+08:00"),
    ],
)
def test_before_the_beijing_day_is_over(now: str, expected: str) -> None:
    found = telling.tell_by(CLOSES, clock.parse_instant(now), matters=False)
    assert found == clock.parse_instant(expected)


def test_before_the_programme_closes_in_the_middle_of_a_day() -> None:
    closes_at = clock.parse_instant("2023-01-10T18:00:00+08:00")
    assert telling.tell_by(closes_at, closes_at - dt.timedelta(hours=8), matters=False) == closes_at


@pytest.mark.parametrize("late", [dt.timedelta(0), dt.timedelta(days=30)])
def test_at_once_after_the_close(late: dt.timedelta) -> None:
    assert telling.tell_by(CLOSES, CLOSES + late, matters=False) == telling.AT_ONCE


def test_at_once_where_it_matters() -> None:
    assert telling.tell_by(CLOSES, CLOSES - dt.timedelta(days=30), matters=True) == telling.AT_ONCE
    assert telling.AT_ONCE < CLOSES
