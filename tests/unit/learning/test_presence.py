"""Presence prompts: when they come, and what an unanswered one costs."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from services.learning.study.rules import earning, multirange, presence
from services.learning.study.rules.earning import Report, Terms

MINUTE = 60_000
TERMS = Terms(silence_ms=60 * MINUTE, opens_ms=-1, closes_ms=10**12)


def earned(present: multirange.Ranges, *reports: Report) -> int:
    accrual = dataclasses.replace(earning.begin_accrual(TERMS.silence_ms), present=present)
    seen: list[tuple[int, int]] = []
    for report in reports:
        got = earning.time_earned(accrual, report, TERMS)
        accrual = got.accrual
        seen += got.seen
    return multirange.total(multirange.normalise(seen))


@given(st.integers(60, 7200), st.floats(0, 1, exclude_max=True))
def test_a_prompt_comes_between_half_and_all_of_the_interval(every_seconds, chance):
    assert every_seconds * 500 <= presence.prompt_after_ms(every_seconds, chance) <= every_seconds * 1000


def test_without_prompts_nothing_changes():
    assert earned(presence.begin_presence(None), Report(1, 30 * MINUTE, ((0, 1800),))) == 1800


def test_an_unanswered_prompt_stops_the_clock_when_its_time_is_over():
    present = presence.begin_presence(10 * MINUTE)
    assert earned(present, Report(1, 30 * MINUTE, ((0, 1800),))) == 10 * 60 + presence.ANSWER_WITHIN_SECONDS


def test_an_answer_in_time_loses_nothing():
    present = presence.confirm_presence(presence.begin_presence(10 * MINUTE), 11 * MINUTE, 30 * MINUTE)
    assert earned(present, Report(1, 30 * MINUTE, ((0, 1800),))) == 1800


def test_a_late_answer_loses_what_lies_between():
    present = presence.confirm_presence(presence.begin_presence(10 * MINUTE), 20 * MINUTE, 40 * MINUTE)
    assert earned(present, Report(1, 30 * MINUTE, ((0, 1800),))) == 1800 - 8 * 60


def test_the_order_of_report_and_answer_does_not_matter_for_what_comes_later():
    before = earned(presence.begin_presence(10 * MINUTE), Report(1, 10 * MINUTE, ((0, 600),)))
    assert before == 600


def test_an_answer_before_the_prompt_proves_nothing():
    assert not presence.is_due(10 * MINUTE, 10 * MINUTE - 1)
    assert presence.is_due(10 * MINUTE, 10 * MINUTE)
