"""From snapshots to judgements: the adapter, days and years, and what must be appended."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from services.credits import judgement, study_evidence
from services.credits.models import Evidence, Programme
from services.credits.rules import Quiz, Video
from services.shared import clock
from services.shared.clock import BEIJING

COURSES = [
    {"course_id": str(uuid.UUID(int=number)), "key": key, "title": key}
    for number, key in enumerate(("party20", "live_safety", "course_c", "course_d", "course_e"), 1)
]
TODAY = dt.date(2023, 1, 10)


@pytest.fixture
def programme():
    return Programme(
        programme_id=uuid.UUID(int=100),
        rule_pack="smartedu-2023-winter",
        closes_at=clock.parse_instant("2023-03-01T00:00:00+08:00"),
        courses=COURSES,
    )


def evidence(course: int, seconds: int, *, version: int = 1, on: str = "2023-01-10T10:00:00+08:00") -> Evidence:
    video = {
        "activity_id": "v",
        "duration_seconds": seconds,
        "seen": [[0, seconds]],
        "countable": [[0, seconds]],
        "quizzes": [],
    }
    return Evidence(
        course_id=uuid.UUID(int=course), version=version, videos=[video], progressed_at=clock.parse_instant(on)
    )


def test_a_snapshot_becomes_the_engines_evidence():
    snapshot = {
        "activity_id": "v1",
        "duration_seconds": 900,
        "seen": [[0, 700], [800, 900]],
        "countable": [[0, 600]],
        "quizzes": [
            {"quiz_id": "q1", "at_seconds": 600, "answered_at": "2023-02-01T04:00:00Z"},
            {"quiz_id": "q2", "at_seconds": 700, "answered_at": None},
        ],
    }
    answered = dt.datetime(2023, 2, 1, 4, tzinfo=dt.UTC)
    assert study_evidence.videos_of([snapshot]) == [
        Video("v1", 900, ((0, 700), (800, 900)), ((0, 600),), (Quiz(600, answered), Quiz(700, None)))
    ]


@pytest.mark.parametrize(
    "broken", [{"seen": "all"}, {"seen": [[0]]}, {"quizzes": [{}]}, {"countable": [["a", "b"]]}, {"seen": None}]
)
def test_anything_else_is_refused(broken):
    whole = {"activity_id": "v1", "duration_seconds": 900, "seen": [], "countable": [], "quizzes": []}
    with pytest.raises((KeyError, TypeError, ValueError)):
        study_evidence.videos_of([{**whole, **broken}])


def test_the_evidence_version_grows_with_every_snapshot(programme):
    judged = judgement.judge(
        judgement.terms_of(programme), [evidence(1, 60, version=3), evidence(2, 60, version=2)], TODAY
    )
    assert judged.evidence_version == 5
    assert judgement.judge(judgement.terms_of(programme), [], TODAY).evidence_version == 0


@pytest.mark.parametrize(
    ("on", "effective_on"),
    [
        ("2022-12-10T10:00:00+08:00", "2022-12-10"),
        ("2023-02-28T23:59:59+08:00", "2023-02-28"),
        ("2023-02-27T23:30:00+00:00", "2023-02-28"),  # a Beijing day, not a UTC one
        ("2023-03-05T10:00:00+08:00", "2023-02-28"),  # told after the close, studied before it
    ],
)
def test_the_day_of_an_hour_lies_in_the_season(programme, on, effective_on):
    judged = judgement.judge(judgement.terms_of(programme), [evidence(2, 2700, on=on)], TODAY)
    assert (judged.effective_on.isoformat(), judged.year) == (effective_on, 2023)


def test_differences_bring_the_ledger_to_the_judgement_and_no_further(programme):
    judged = judgement.judge(judgement.terms_of(programme), [evidence(1, 5400), evidence(2, 2700)], TODAY)
    ids = judgement.course_ids(programme)
    refs = {key: judgement.source_ref(ids[key]) for key in ids}

    def amounts(in_ledger):
        in_ledger = {ref: judgement.Written(amount, 1) for ref, amount in in_ledger.items()}
        return {delta.course: str(delta.amount) for delta in judgement.deltas(judged, ids, in_ledger)}

    assert amounts({}) == {"party20": "2.00", "live_safety": "1.00"}
    assert amounts({refs["party20"]: Decimal("2.00")}) == {"live_safety": "1.00"}
    assert amounts({refs["party20"]: Decimal("2.00"), refs["live_safety"]: Decimal("1.00")}) == {}
    too_much = {
        refs["party20"]: Decimal("2.00"),
        refs["live_safety"]: Decimal("1.00"),
        refs["course_c"]: Decimal("1.00"),
    }
    assert amounts(too_much) == {"course_c": "-1.00"}


def test_an_unknown_course_is_no_evidence_to_guess_about(programme):
    with pytest.raises(LookupError):
        judgement.judge(judgement.terms_of(programme), [evidence(99, 60)], TODAY)


def test_the_closing_year_is_always_locked(programme):
    december = dt.datetime(2022, 12, 10, tzinfo=BEIJING)
    assert judgement.years_to_lock(judgement.terms_of(programme), december) == {2023}
