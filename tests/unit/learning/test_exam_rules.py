"""Rules of exams: the draw, the order, the score, who may begin."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from services.learning.exams import rules
from services.learning.exams.rules import Pool, Terms
from services.shared.ids import new_id

NOW = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TERMS = Terms(NOW - HOUR, NOW + 3 * HOUR, 60, 3, 60)
POOLS = [
    Pool(3, 4, tuple(uuid.UUID(int=number) for number in range(10))),
    Pool(2, 8, tuple(uuid.UUID(int=number) for number in range(100, 105))),
]


def test_an_attempt_draws_as_many_of_each_pool_as_it_says_and_always_the_same():
    attempt = new_id()
    drawn = rules.draw(attempt, POOLS)
    assert [each.points for each in drawn] == [4, 4, 4, 8, 8]
    assert len({each.question_id for each in drawn}) == 5
    assert {each.question_id for each in drawn[:3]} <= set(POOLS[0].question_ids)
    assert rules.draw(attempt, POOLS) == drawn


def test_attempts_draw_differently_and_every_question_has_its_turn():
    draws = [rules.draw(new_id(), POOLS) for _ in range(200)]
    assert len({tuple(each.question_id for each in drawn) for drawn in draws}) > 100
    assert {each.question_id for drawn in draws for each in drawn} == {*POOLS[0].question_ids, *POOLS[1].question_ids}


def test_options_are_shuffled_by_attempt_and_question_and_never_for_true_and_false():
    attempt, question = new_id(), new_id()
    order = rules.option_order(attempt, question, "SINGLE", 5)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert rules.option_order(attempt, question, "SINGLE", 5) == order
    assert len({tuple(rules.option_order(new_id(), question, "MULTIPLE", 5)) for _ in range(100)}) > 20
    assert all(rules.option_order(new_id(), question, "TRUE_FALSE", 2) == [0, 1] for _ in range(20))


@pytest.mark.parametrize(
    ("points", "right", "score", "passed"),
    [
        ([1, 1], [True, True], "100.00", True),
        ([1, 1], [False, False], "0.00", False),
        ([4, 6], [False, True], "60.00", True),
        # 2 of 3 is 66.666…: cut off; and 59.999 would not pass.
        ([1, 1, 1], [True, True, False], "66.66", True),
        ([59_999, 40_001], [True, False], "59.99", False),
    ],
)
def test_the_score_is_of_a_hundred_and_never_rounded_up(points, right, score, passed):
    judged = rules.judge(points, right, 60)
    assert (judged.score, judged.passed, judged.right) == (Decimal(score), passed, sum(right))


@pytest.mark.parametrize(
    ("now", "used", "missing", "refusal"),
    [
        (NOW, 0, 0, ""),
        (NOW - HOUR, 0, 0, ""),
        (NOW - HOUR - dt.timedelta(microseconds=1), 0, 0, "learning.exam_not_open"),
        (NOW + 3 * HOUR, 0, 0, "learning.exam_closed"),
        (NOW, 3, 0, "learning.exam_attempts_used"),
        (NOW, 0, 1, "learning.exam_study_first"),
    ],
)
def test_who_may_begin(now, used, missing, refusal):
    assert rules.start_refusal(TERMS, used, missing, now) == refusal


def test_a_late_attempt_ends_with_the_exam():
    assert rules.deadline(TERMS, NOW) == NOW + HOUR
    assert rules.deadline(TERMS, TERMS.closes_at - dt.timedelta(minutes=5)) == TERMS.closes_at


@pytest.mark.parametrize(
    ("kind", "given", "refusal"),
    [
        ("SINGLE", [0], ""),
        ("SINGLE", [], ""),
        ("SINGLE", [0, 1], "learning.one_answer_only"),
        ("TRUE_FALSE", [0, 1], "learning.one_answer_only"),
        ("MULTIPLE", [0, 1], ""),
        ("MULTIPLE", [0, 0], "learning.option_unknown"),
        ("MULTIPLE", [4], "learning.option_unknown"),
        ("MULTIPLE", [-1], "learning.option_unknown"),
    ],
)
def test_what_can_be_an_answer(kind, given, refusal):
    assert rules.answer_refusal(kind, 4, given) == refusal


def test_marks_are_told_only_when_nothing_can_follow():
    assert not rules.is_settled(2, TERMS, NOW)
    assert rules.is_settled(3, TERMS, NOW)
    assert rules.is_settled(1, TERMS, TERMS.closes_at)
