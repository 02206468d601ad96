"""Special training: who may apply, the order of reviews, buckets, codes that change, places, when results are taken."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid

import pytest

from services.learning.contract.special_training import ReviewStage, TrainingBucket, TrainingState
from services.learning.selection.rules import Chooser
from services.learning.special_training import rules
from services.shared import clock

CITY = "CN/440000/440100"
EVERYBODY: dict[str, list[str]] = {"segments": [], "subjects": [], "place_ids": [], "school_ids": []}
FROM, UNTIL = (clock.parse_instant(f"2023-0{month}-01T00:00:00+08:00") for month in (2, 3))
NOW = clock.parse_instant("2023-02-15T10:00:00+08:00")
SCHOOL = uuid.uuid4()
TEACHER = Chooser("VERIFIED", f"{CITY}/440103/s1", SCHOOL, "PRIMARY", "语文")
STARTS, ENDS = dt.date(2023, 3, 1), dt.date(2023, 12, 30)


def project(**changes):
    facts = {"shown_at": CITY, "audience": EVERYBODY, "applies_from": FROM, "applies_until": UNTIL, "withdrawn": False}
    return rules.Project(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "teacher", "state", "now", "code"),
    [
        ({}, {}, None, NOW, ""),
        ({}, {"membership": "PENDING"}, None, NOW, ""),  # A3 may apply (domain.md 1.2)
        ({}, {}, TrainingState.TAKEN_BACK, NOW, ""),
        ({}, {}, None, FROM, ""),
        ({}, {}, None, UNTIL, "learning.applications_over"),
        ({}, {}, None, FROM - dt.timedelta(microseconds=1), "learning.applications_not_open"),
        ({}, {"membership": "RELEASED"}, None, NOW, "learning.application_needs_school"),
        ({}, {"school_id": None}, None, NOW, "learning.application_needs_school"),
        ({}, {"employment": "LEFT"}, None, NOW, "learning.application_archived"),  # S3:187-192
        ({}, {"place": "CN/440000/440300/440304/s1"}, None, NOW, "learning.project_unknown"),
        ({}, {"place": f"{CITY}9/440103/s1"}, None, NOW, "learning.project_unknown"),
        ({"withdrawn": True}, {}, None, NOW, "learning.project_withdrawn"),
        ({"audience": {**EVERYBODY, "segments": ["JUNIOR"]}}, {}, None, NOW, "learning.not_for_you"),
        ({"audience": {**EVERYBODY, "subjects": ["数学"]}}, {}, None, NOW, "learning.not_for_you"),
        ({"audience": {**EVERYBODY, "place_ids": [f"{CITY}/440104"]}}, {}, None, NOW, "learning.not_for_you"),
        ({"audience": {**EVERYBODY, "school_ids": [str(uuid.uuid4())]}}, {}, None, NOW, "learning.not_for_you"),
        *(
            ({}, {}, state, NOW, "learning.applied_already")
            for state in TrainingState
            if state is not TrainingState.TAKEN_BACK
        ),
    ],
)
def test_who_may_apply(changes, teacher, state, now, code):
    applicant = Chooser(**{**vars(TEACHER), **teacher})
    assert rules.application_refusal(project(**changes), applicant, state, now) == code


def test_three_reviews_lead_to_admission_one_after_the_other():
    seen = [state := rules.first_state(is_principal=False)]
    while state in rules.REVIEWS:
        seen.append(state := rules.state_after_pass(ReviewStage(state)))
    assert seen == ["SCHOOL_REVIEW", "DISTRICT_REVIEW", "INSTITUTION_REVIEW", "ADMITTED"]
    assert rules.first_state(is_principal=True) == "DISTRICT_REVIEW"


@pytest.mark.parametrize(
    ("state", "day", "bucket"),
    [
        ("SCHOOL_REVIEW", "2023-02-15", "UNDER_REVIEW"),
        ("DISTRICT_REVIEW", "2023-02-15", "UNDER_REVIEW"),
        ("INSTITUTION_REVIEW", "2023-04-15", "UNDER_REVIEW"),
        ("REJECTED", "2023-02-15", "REJECTED"),
        ("ADMITTED", "2023-02-28", "NOT_BEGUN"),
        ("ADMITTED", "2023-03-01", "ONGOING"),
        ("ATTENDING", "2023-12-30", "ONGOING"),
        ("ATTENDING", "2023-12-31", "OVER"),
        ("PASSED", "2023-12-30", "OVER"),
        ("FAILED", "2023-12-30", "OVER"),
        ("TAKEN_BACK", "2023-02-15", None),
        ("VOID", "2023-02-15", None),
    ],
)
def test_lists_by_state_as_guangxi_shows_them(state, day, bucket):
    assert rules.bucket_of(TrainingState(state), STARTS, ENDS, dt.date.fromisoformat(day)) == bucket


def test_every_state_has_its_list_on_every_day_or_is_out_of_them():
    days = [STARTS - dt.timedelta(1), STARTS, ENDS, ENDS + dt.timedelta(1)]
    for state, day in itertools.product(TrainingState, days):
        bucket = rules.bucket_of(state, STARTS, ENDS, day)
        assert (bucket is None) == (state in (TrainingState.TAKEN_BACK, TrainingState.VOID))
        assert bucket is None or bucket in TrainingBucket


@pytest.mark.parametrize(
    ("state", "passed", "reason", "day", "code"),
    [
        ("ATTENDING", True, "", "2023-12-30", ""),  # W32
        ("ATTENDING", True, "", "2023-12-31", ""),
        ("ATTENDING", True, "", "2024-01-01", "learning.training_year_over"),
        ("ATTENDING", True, "", "2024-01-02", "learning.training_year_over"),  # W32
        ("PASSED", False, "作弊", "2024-01-02", "learning.training_year_over"),
        ("ATTENDING", True, "", "2023-12-29", "learning.training_not_over"),
        ("ADMITTED", False, "", "2023-12-30", ""),
        ("ADMITTED", True, "", "2023-12-30", "learning.never_checked_in"),
        ("PASSED", True, "", "2023-12-30", ""),
        ("PASSED", False, "", "2023-12-30", "learning.grade_reason_missing"),
        ("PASSED", False, "登记有误", "2023-12-30", ""),
        ("FAILED", True, "", "2023-12-30", "learning.grade_reason_missing"),
        *(
            (state, True, "", "2023-12-30", "learning.not_admitted")
            for state in ("SCHOOL_REVIEW", "DISTRICT_REVIEW", "INSTITUTION_REVIEW", "TAKEN_BACK", "REJECTED", "VOID")
        ),
    ],
)
def test_results_are_taken_from_the_last_day_to_the_end_of_its_year(state, passed, reason, day, code):
    assert rules.grading_refusal(TrainingState(state), ENDS, passed, reason, dt.date.fromisoformat(day)) == code


def test_a_training_over_the_new_year_counts_in_the_year_of_its_last_day():
    ends = dt.date(2024, 1, 10)
    assert rules.grading_refusal(TrainingState.ATTENDING, ends, True, "", dt.date(2024, 12, 31)) == ""


def test_a_code_holds_for_its_minute_and_the_next():
    secret, shown_at = b"s" * 32, clock.parse_instant("2023-03-01T09:00:20+08:00")
    code = rules.check_in_code(secret, shown_at)
    assert len(code) == 6
    assert code.isdigit()
    assert rules.code_changes_at(shown_at) == clock.parse_instant("2023-03-01T09:01:00+08:00")
    for seconds, holds in ((-21, False), (-20, True), (0, True), (99, True), (100, False)):
        assert rules.is_code(secret, code, shown_at + dt.timedelta(seconds=seconds)) is holds, seconds
    assert not rules.is_code(b"t" * 32, code, shown_at)


def test_codes_are_spread_over_the_whole_million():
    start = clock.parse_instant("2023-03-01T09:00:00+08:00")
    codes = {rules.check_in_code(b"s" * 32, start + dt.timedelta(minutes=minute)) for minute in range(500)}
    assert len(codes) > 495
    assert {code[0] for code in codes} == set("0123456789")


@pytest.mark.parametrize(
    ("instant", "is_open"),
    [
        ("2023-03-01T08:29:59+08:00", False),
        ("2023-03-01T08:30:00+08:00", True),
        ("2023-03-01T11:59:59+08:00", True),
        ("2023-03-01T12:00:00+08:00", False),
    ],
)
def test_check_in_is_open_from_half_an_hour_before_to_the_end(instant, is_open):
    starts, ends = (clock.parse_instant(f"2023-03-01T{hour}:00:00+08:00") for hour in ("09", "12"))
    assert rules.is_check_in_open(starts, ends, clock.parse_instant(instant)) is is_open


def test_distances_follow_the_earth():
    assert rules.metres_between(23.0, 113.0, 23.0, 113.0) == 0
    # A degree of latitude is 111.195 km on a sphere of 6,371 km.
    assert rules.metres_between(23.0, 113.0, 24.0, 113.0) == pytest.approx(111_195, abs=1)
    # Across the date line it is the short way.
    assert rules.metres_between(0.0, 179.9, 0.0, -179.9) == pytest.approx(22_239, abs=1)


@pytest.mark.parametrize(
    ("spot", "position", "code"),
    [
        (None, None, ""),
        (None, (0.0, 0.0), ""),
        (rules.Spot(23.0, 113.0, 200), None, "learning.check_in_place_missing"),
        (rules.Spot(23.0, 113.0, 200), (23.001, 113.0), ""),  # 111 m
        (rules.Spot(23.0, 113.0, 100), (23.001, 113.0), "learning.check_in_elsewhere"),
    ],
)
def test_the_place_is_asked_for_only_where_the_session_names_one(spot, position, code):
    assert rules.place_refusal(spot, position) == code


@pytest.mark.parametrize(
    ("begins", "ends", "inside"),
    [
        ("2023-03-01T00:00:00+08:00", "2023-03-01T12:00:00+08:00", True),
        ("2023-12-30T09:00:00+08:00", "2023-12-31T00:00:00+08:00", True),
        ("2023-12-30T09:00:00+08:00", "2023-12-31T00:00:01+08:00", False),
        ("2023-02-28T23:59:59+08:00", "2023-03-01T12:00:00+08:00", False),
        ("2023-03-01T12:00:00+08:00", "2023-03-01T12:00:00+08:00", False),
    ],
)
def test_sessions_lie_inside_the_days_of_the_training(begins, ends, inside):
    assert rules.is_inside(clock.parse_instant(begins), clock.parse_instant(ends), STARTS, ENDS) is inside
