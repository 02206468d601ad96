"""The engine under packs made for the test: modes, group caps, rounding; and what holds for any evidence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credits.pack_files import load_pack
from services.credits.rules import Quiz, Rule, Video, evaluate
from services.credits.rules.pack import Kind, Measure, Mode, YearBoundary
from services.shared.clock import BEIJING

WINTER = load_pack("smartedu-2023-winter")
STEPS = load_pack("smartedu-2023-winter-step")
ANSWERED = dt.datetime(2023, 2, 1, tzinfo=BEIJING)


def rule(rule_id, kind, **numbers):
    courses = numbers.pop("courses", ("a", "b", "c"))
    measure = numbers.pop("measure", Measure.HOURS)
    return Rule(rule_id, kind, {}, "", "I", courses=courses, measure=measure, **numbers)


def pack(*rules, quantum="0.01"):
    conversion = rule("T.CONV", Kind.CONVERSION, seconds_per_hour=2700)
    return dataclasses.replace(WINTER, courses=("a", "b", "c"), rules=(conversion, *rules), quantum=Decimal(quantum))


def seconds(count):
    return [Video("v", max(count, 1), ((0, count),), ((0, count),))]


def hours(outcome):
    return [str(course.hours) for course in outcome.courses]


PRORATA = rule("T.RATE", Kind.ACCRUAL, mode=Mode.PRORATA)


def test_proportion_is_rounded_half_up_once():
    evidence = {"a": seconds(900), "b": seconds(1364), "c": seconds(1800)}
    # 0.3333…, 0.50518…, 0.6666…: three roundings, none of them of another's result.
    outcome = evaluate(pack(PRORATA), evidence)
    assert (hours(outcome), str(outcome.hours)) == (["0.33", "0.51", "0.67"], "1.51")
    # Half an hour as quantum: a quarter is rounded up, a little less is not.
    assert hours(evaluate(pack(PRORATA, quantum="0.50"), {"a": seconds(675), "b": seconds(674)}))[:2] == [
        "0.50",
        "0.00",
    ]


def test_rounding_never_lifts_the_sum_over_a_common_cap():
    total = rule("T.TOTAL", Kind.TOTAL_CAP, cap=Decimal("1.33"))
    # 0.665 each would round to 0.67 + 0.67 = 1.34.
    evidence = {"a": seconds(1796), "b": seconds(1796)}
    outcome = evaluate(pack(PRORATA, total), evidence)
    assert (hours(outcome)[:2], str(outcome.hours)) == (["0.67", "0.66"], "1.33")


def test_common_caps_are_used_up_in_the_packs_order():
    group = rule("T.GROUP", Kind.GROUP_CAP, cap=Decimal("2.00"), courses=("a", "c"))
    total = rule("T.TOTAL", Kind.TOTAL_CAP, cap=Decimal("3.50"))
    evidence = {key: seconds(3 * 2700) for key in "cba"}
    capped = evaluate(pack(PRORATA, group), evidence)
    assert hours(capped) == ["2.00", "3.00", "0.00"]
    outcome = evaluate(pack(PRORATA, total, group), evidence)
    assert (hours(outcome), str(outcome.hours)) == (["2.00", "1.50", "0.00"], "3.50")
    assert [str(reason) for reason in outcome.courses[2].reasons] == ["cap_reached"]
    # Groups come before the total, whatever their order in the file.
    assert [line.rule_id for line in outcome.trace][-3:] == ["T.GROUP", "T.GROUP", "T.TOTAL"]


def test_an_item_cap_says_so_and_keeps_the_count():
    item = rule("T.ITEM", Kind.ITEM_CAP, cap=Decimal("1.00"), courses=("a",))
    outcome = evaluate(pack(PRORATA, item), {"a": seconds(4 * 2700)})
    assert (hours(outcome)[0], outcome.courses[0].counted_seconds) == ("1.00", 4 * 2700)
    assert outcome.trace[-1].before == "4.00"
    assert outcome.courses[0].done


def test_the_year_of_an_hour():
    closes, december = dt.date(2023, 2, 28), dt.date(2022, 12, 10)
    assert WINTER.year_of(december, closes) == 2023
    by_event = dataclasses.replace(WINTER, year_boundary=YearBoundary.BY_EVENT_DATE)
    assert by_event.year_of(december, closes) == 2022


# --- what holds for any evidence -----------------------------------------------------------------------------------

pieces = st.lists(
    st.tuples(st.integers(-100, 4000), st.integers(-100, 4000)).map(lambda pair: (min(pair), max(pair))), max_size=6
).map(tuple)
quizzes = st.lists(st.builds(Quiz, st.integers(1, 3599), st.sampled_from([None, ANSWERED])), max_size=2).map(tuple)
videos = st.builds(Video, st.sampled_from("uvwxyz"), st.just(3600), pieces, pieces, quizzes)
seasons = st.dictionaries(
    st.sampled_from(WINTER.courses), st.lists(videos, max_size=6, unique_by=lambda video: video.key)
)
packs = st.sampled_from([WINTER, STEPS])


# A busy machine is no fault of the rule.
@settings(deadline=None, max_examples=80)
@given(packs, seasons)
def test_caps_hold_and_parts_add_up(pack_, season):
    outcome = evaluate(pack_, season)
    assert sum(course.hours for course in outcome.courses) == outcome.hours <= 6
    for course in outcome.courses:
        assert 0 <= course.hours <= (2 if course.key == "party20" else 1)
        assert 0 <= course.counted_seconds <= course.studied_seconds
        assert course.hours or course.reasons, "a zero without a reason"
    assert outcome.requirement_met == (outcome.hours == 6)


@settings(deadline=None, max_examples=80)
@given(packs, seasons, st.randoms(use_true_random=False))
def test_order_of_arrival_is_irrelevant(pack_, season, shuffler: random.Random):
    def shuffled(items):
        return shuffler.sample(list(items), len(items))

    mixed = {
        key: [
            dataclasses.replace(video, **{name: tuple(shuffled(getattr(video, name))) for name in ("seen", "countable", "quizzes")})
            for video in shuffled(season[key])
        ]
        for key in shuffled(season)
    }  # fmt: skip
    assert evaluate(pack_, mixed) == evaluate(pack_, season)


@settings(deadline=None, max_examples=80)
@given(packs, seasons, st.data())
def test_more_evidence_never_earns_less(pack_, season, data):
    """More played, more countable, one more answer, one more video: each course and the sum stay or grow."""
    before = evaluate(pack_, season)
    key = data.draw(st.sampled_from(WINTER.courses))
    grown = [_grown(video, data) for video in season.get(key, [])]
    if data.draw(st.booleans()):
        grown.append(data.draw(videos.map(lambda video: dataclasses.replace(video, key="new"))))
    after = evaluate(pack_, {**season, key: grown})
    for old, new in zip(before.courses, after.courses, strict=True):
        assert new.hours >= old.hours
        assert new.studied_seconds >= old.studied_seconds
    assert after.hours >= before.hours


def _grown(video, data):
    answered = tuple(
        dataclasses.replace(quiz, answered_at=quiz.answered_at or data.draw(st.sampled_from([None, ANSWERED])))
        for quiz in video.quizzes
    )
    return dataclasses.replace(
        video,
        seen=video.seen + data.draw(pieces),
        countable=video.countable + data.draw(pieces),
        quizzes=answered,
    )


# --- time that waits for a review -------------------------------------------------------------------------------------------


def reasons_of(key, *videos, pack_=WINTER):
    [course] = [course for course in evaluate(pack_, {key: list(videos)}).courses if course.key == key]
    return f"{course.hours:.2f}", [str(reason) for reason in course.reasons]


def test_time_that_is_held_for_a_review_says_so_and_not_that_it_lay_outside_the_window():
    video = Video("v", 2700, ((0, 2700),), ((0, 600),), held=((600, 2700),))
    assert reasons_of("live_safety", video) == ("0.00", ["under_review", "below_threshold"])
    both = dataclasses.replace(video, held=((600, 2000),))
    assert reasons_of("live_safety", both) == ("0.00", ["outside_window", "under_review", "below_threshold"])


def test_the_rest_behind_a_quiz_that_is_held_was_watched():
    video = Video("v", 2700, ((0, 2700),), ((0, 600),), (Quiz(300, ANSWERED),), held=((600, 2700),))
    assert reasons_of("course_c", video) == ("0.00", ["under_review", "below_threshold"])
    [line] = [line for line in evaluate(WINTER, {"course_c": [video]}).trace if line.unit == "SECONDS"]
    assert line.why == "300 of the 2400 s after the quiz watched, 2100 s more are held for a review"
    unwatched = dataclasses.replace(video, held=((600, 2600),))
    assert reasons_of("course_c", unwatched)[1] == ["remainder_unwatched", "under_review", "below_threshold"]
    unanswered = dataclasses.replace(video, quizzes=(Quiz(300, None),))
    assert reasons_of("course_c", unanswered)[1] == ["quiz_unanswered", "under_review", "below_threshold"]


def test_a_whole_video_of_which_a_part_is_held_is_not_called_incomplete():
    putian = load_pack("putian-2026-50h")
    video = Video("v", 2700, ((0, 2700),), ((0, 600),), held=((600, 2700),))
    assert reasons_of("public", video, pack_=putian) == ("0.00", ["under_review"])


def test_time_that_counts_already_is_not_held_besides():
    video = Video("v", 2700, ((0, 2700),), ((0, 2700),), held=((600, 2700),))
    assert reasons_of("live_safety", video) == ("1.00", [])
