"""What one report earns: worked by hand."""

from __future__ import annotations

import dataclasses

import pytest

from services.learning.study.rules import earning
from services.learning.study.rules.earning import Report, Terms

MINUTE = 60_000
OPEN = Terms(silence_ms=5 * MINUTE, opens_ms=-(10**9), closes_ms=10**9)


def report(seq, at_ms, *segments):
    return Report(seq, at_ms, tuple(segments))


def take(accrual, terms, *reports):
    seen, countable = [], []
    for one in reports:
        earned = earning.time_earned(accrual, one, terms)
        accrual = earned.accrual
        seen += earned.seen
        countable += earned.countable
    return earning.multirange.normalise(seen), earning.multirange.normalise(countable), accrual


def start(terms=OPEN):
    return earning.begin_accrual(terms.silence_ms)


def test_what_was_watched_in_time_is_earned_whole():
    seen, countable, _ = take(start(), OPEN, report(1, MINUTE, (0, 60)), report(2, 2 * MINUTE, (60, 120)))
    assert seen == countable == ((0, 120),)


def test_a_second_more_than_the_clock_is_not_earned():
    seen, _, _ = take(start(), OPEN, report(1, MINUTE - 1, (0, 60)))
    assert seen == ((1, 60),)


def test_the_clipped_part_is_lost_for_that_seq():
    seen, _, _ = take(start(), OPEN, report(1, MINUTE, (0, 120)), report(1, 2 * MINUTE, (0, 120)))
    assert seen == ((60, 120),)


def test_clock_time_is_spent_once_across_reports():
    seen, _, _ = take(start(), OPEN, report(1, MINUTE, (0, 60)), report(2, MINUTE, (60, 120)))
    assert seen == ((0, 60),)


def test_a_pause_leaves_time_that_a_later_report_may_use():
    # A slow network delivers a minute's report 10 s late; nothing of the next minute is lost by that.
    seen, _, _ = take(start(), OPEN, report(1, MINUTE + 10_000, (0, 60)), report(2, 2 * MINUTE, (60, 120)))
    assert seen == ((0, 120),)


def test_silence_beyond_the_limit_earns_nothing():
    seen, _, _ = take(start(), OPEN, report(1, 20 * MINUTE, (0, 1200)))
    assert earning.multirange.total(seen) == 5 * 60


def test_the_clock_runs_again_after_a_sign_of_life():
    seen, _, _ = take(start(), OPEN, report(1, 20 * MINUTE, (0, 300)), report(2, 21 * MINUTE, (300, 360)))
    assert seen == ((0, 360),)


def test_take_over_stops_the_clock():
    ended = earning.end_accrual(start(), 30_000)
    seen, _, _ = take(ended, OPEN, report(1, MINUTE, (0, 60)))
    assert earning.multirange.total(seen) == 30


def test_a_late_report_of_the_taken_over_session_keeps_its_time():
    ended = earning.end_accrual(start(), MINUTE)
    seen, _, _ = take(ended, OPEN, report(1, 2 * MINUTE, (0, 60)))
    assert seen == ((0, 60),)


def test_reordered_reports_with_receipts_earn_the_same():
    reports = [report(1, MINUTE, (0, 60)), report(2, 2 * MINUTE, (60, 120)), report(3, 3 * MINUTE + 7, (120, 180))]
    straight = take(start(), OPEN, *reports)
    assert take(start(), OPEN, *reversed(reports))[:2] == straight[:2]
    assert straight[0] == ((0, 180),)


def test_a_report_from_before_the_opening_earns_nothing():
    assert take(start(), OPEN, report(1, -5, (0, 60)))[0] == ()


def test_a_faster_rate_where_the_programme_allows_it():
    terms = dataclasses.replace(OPEN, ms_per_second=500)
    seen, countable, _ = take(start(), terms, report(1, MINUTE, (0, 200)))
    assert seen == countable == ((80, 200),)


def test_w09_the_last_second_after_the_close_does_not_count():
    # domain.md W09: 44:59 of the course by 23:59:59, the last second reported at 00:00:01.
    terms = dataclasses.replace(OPEN, silence_ms=60 * MINUTE, closes_ms=2_700_000)
    reports = report(1, 2_699_000, (0, 2699)), report(2, 2_701_000, (2699, 2700))
    seen, countable, _ = take(start(terms), terms, *reports)
    assert seen == ((0, 2700),)
    assert countable == ((0, 2699),)


def test_the_close_is_exclusive():
    terms = dataclasses.replace(OPEN, closes_ms=60_000)
    assert take(start(), terms, report(1, 60_000, (0, 60)))[1] == ((0, 60),)
    assert take(start(), terms, report(1, 60_001, (0, 60)))[1] == ((0, 59),)


def test_an_unspent_pause_does_not_lift_a_late_second_into_the_window():
    terms = dataclasses.replace(OPEN, closes_ms=2 * MINUTE)
    reports = report(1, MINUTE + 30_000, (0, 60)), report(2, 2 * MINUTE + 1000, (60, 61))
    assert take(start(), terms, *reports)[1] == ((0, 60),)


def test_time_before_the_opening_does_not_count():
    terms = dataclasses.replace(OPEN, opens_ms=30_000)
    seen, countable, _ = take(start(), terms, report(1, MINUTE, (0, 60)))
    assert (seen, countable) == (((0, 60),), ((30, 60),))


QUIZ_AT_600 = 600


def gated(answered_ms):
    return dataclasses.replace(OPEN, silence_ms=60 * MINUTE, gates=((QUIZ_AT_600, answered_ms),))


def test_the_part_after_an_unanswered_quiz_is_seen_only():
    terms = gated(None)
    seen, countable, _ = take(start(terms), terms, report(1, 700_000, (0, 700)))
    assert (seen, countable) == (((0, 700),), ((0, 600),))


def test_the_part_after_the_quiz_counts_from_the_answer_on():
    terms = gated(650_000)
    _, countable, _ = take(start(terms), terms, report(1, 700_000, (0, 700)))
    # Played until 700 s: the stretch 600-650 lay before the answer.
    assert countable == ((0, 600), (650, 700))


def test_one_second_after_the_answer_does_not_cover_a_minute():
    terms = gated(600_000)
    reports = [report(seq, 601_000, (600 + seq, 601 + seq)) for seq in range(30)]
    _, countable, _ = take(start(terms), terms, *reports)
    assert earning.multirange.total(countable) == 1


def test_a_slow_report_of_the_part_before_does_not_eat_the_time_after_the_answer():
    terms = gated(600_000)
    reports = (
        report(1, 570_000, (0, 570)),
        report(2, 605_000, (570, 600)),  # watched by 600 s, arrived five seconds later
        report(3, 660_000, (600, 660)),
    )
    _, countable, _ = take(start(terms), terms, *reports)
    assert countable == ((0, 660),)


def test_two_quizzes_open_one_after_the_other():
    terms = dataclasses.replace(OPEN, silence_ms=60 * MINUTE, gates=((60, 70_000), (120, None)))
    reports = report(1, 60_000, (0, 60)), report(2, 130_000, (60, 120)), report(3, 150_000, (120, 140))
    seen, countable, _ = take(start(terms), terms, *reports)
    assert (seen, countable) == (((0, 140),), ((0, 120),))


def test_watching_again_after_the_answer_counts():
    terms = gated(None)
    _, _, accrual = take(start(terms), terms, report(1, 700_000, (0, 700)))
    terms = gated(710_000)
    _, countable, _ = take(accrual, terms, report(2, 810_000, (600, 700)))
    assert countable == ((600, 700),)


def test_rewatching_adds_nothing_to_the_union_but_costs_time():
    # domain.md W08: the same 30 minutes twice.
    terms = dataclasses.replace(OPEN, silence_ms=60 * MINUTE)
    reports = report(1, 30 * MINUTE, (0, 1800)), report(2, 60 * MINUTE, (0, 1800))
    seen, countable, accrual = take(start(terms), terms, *reports)
    assert seen == countable == ((0, 1800),)
    assert accrual.spent == ((0, 60 * MINUTE),)


@pytest.mark.parametrize("received_ms", [10**12, earning.LONGEST_SESSION_MS + 1])
def test_a_session_has_a_longest_day(received_ms):
    terms = dataclasses.replace(OPEN, silence_ms=10**12, closes_ms=10**13)
    accrual = earning.begin_accrual(terms.silence_ms)
    seen, _, after = take(accrual, terms, report(1, received_ms, (0, 200_000)))
    assert earning.multirange.total(seen) == earning.LONGEST_SESSION_MS // 1000
    assert after.live[-1][1] <= earning.LONGEST_SESSION_MS
