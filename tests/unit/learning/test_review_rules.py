"""When study is conspicuous, and the way of a review."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid

import pytest

from services.learning.contract.reviews import ReviewState
from services.learning.review import rules
from services.learning.review.rules import Presence, ReviewAct

NINE = dt.datetime(2023, 1, 10, 1, tzinfo=dt.UTC)
ANNA, BELA, CARL, DORA = (uuid.UUID(int=number) for number in range(1, 5))


def there(teacher, begin, end):
    return Presence(teacher, NINE + dt.timedelta(minutes=begin), NINE + dt.timedelta(minutes=end))


@pytest.mark.parametrize(("hours", "found"), [(8, False), (15.99, False), (16, True), (24, True)])
def test_a_long_day(hours, found):
    assert rules.is_long_day(int(hours * 3600)) is found


@pytest.mark.parametrize(
    ("claimed", "elapsed", "found"),
    [
        (3600, 3600, False),
        (4199, 3600, False),  # within ten minutes
        (5400, 3600, True),
        (5399, 3600, False),
        (599, 1, False),  # a script's short try is clipped and forgotten
        (2700, 3, True),
        (3600, 7200, False),  # was offline and claims it all
    ],
)
def test_impossible_speed(claimed, elapsed, found):
    assert rules.is_impossible_speed(claimed, elapsed) is found


def test_one_after_the_other_is_a_staff_room():
    device = [there(ANNA, 0, 60), there(BELA, 60, 120), there(CARL, 120, 180), there(DORA, 180, 240)]
    assert rules.most_at_once(device) == 1
    assert not rules.is_shared(device)


def test_three_at_once_is_no_staff_room():
    device = [there(ANNA, 0, 60), there(BELA, 20, 70), there(CARL, 50, 90)]
    assert rules.most_at_once(device) == 3
    assert rules.is_shared(device)


def test_ten_in_a_day_are_looked_at_even_one_by_one():
    people = [there(uuid.UUID(int=number), 60 * number, 60 * number + 50) for number in range(10)]
    assert rules.is_shared(people)
    assert not rules.is_shared(people[:9])


def test_two_sittings_of_one_teacher_are_one_person():
    assert rules.most_at_once([there(ANNA, 0, 60), there(ANNA, 30, 90), there(BELA, 0, 90)]) == 2


def test_an_appeal_goes_to_somebody_else_and_nobody_judges_themselves():
    assert rules.may_decide(BELA, ANNA, None)
    assert not rules.may_decide(ANNA, ANNA, None)
    assert not rules.may_decide(BELA, ANNA, BELA)
    assert rules.may_decide(CARL, ANNA, BELA)
    assert not rules.may_decide(None, ANNA, None)


def test_every_step_that_a_review_can_take():
    moves = {
        (state, act): after
        for state, act in itertools.product(ReviewState, ReviewAct)
        if (after := rules.next_state(state, act)) is not None
    }
    assert moves == {
        ("PENDING", "CLEAR"): "CLEARED",
        ("PENDING", "UPHOLD"): "UPHELD",
        ("UPHELD", "APPEAL"): "APPEALED",
        ("APPEALED", "CLEAR"): "CLEARED",
        ("APPEALED", "UPHOLD"): "CONFIRMED",
    }
    assert {"PENDING", "UPHELD", "APPEALED", "CONFIRMED"} == rules.HOLDING
