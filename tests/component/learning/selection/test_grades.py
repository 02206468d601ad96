"""Grades: who enters them, when, what turns one over, and what credits is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.learning.bulk.service import LearningBulkService
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import (
    CITY,
    DISTRICT,
    FAR_SCHOOL,
    NEIGHBOUR,
    SCHOOL,
    Market,
    centre,
    institution,
    school_admin,
)
from tests.conftest import person


@dataclasses.dataclass
class Class:
    """A course that is being taught, and who is admitted to it."""

    market: Market
    period: dict[str, Any]
    offering: dict[str, Any]

    def student(self, *charges: str) -> tuple[Actor, dict[str, Any]]:
        """Somebody who chose the course while it could be chosen; billing then said this of it."""
        self._period("PUBLISHED")
        teacher = self.market.teacher()
        choice = self.market.choose(teacher, self.offering)
        for version, state in enumerate(charges or ("BILLED", "ADMITTED"), start=1):
            self.market.charge(choice, state, version)
        self._period("TEACHING")
        return teacher, choice

    def _period(self, state: str) -> None:
        self.period["version"] += 1
        self.market.period(**{**self.period, "state": state})

    def archive(self) -> None:
        self._period("ARCHIVED")


@pytest.fixture
def taught(market: Market) -> Class:
    period = market.period()
    return Class(market, period, market.offering(period))


def grade(market: Market, actor: Actor, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    done = market.learning.call("grade_choices", {"grades": list(rows)}, actor)
    return [(row["outcome"], row["code"]) for row in done["rows"]]


def of(choice: dict[str, Any], passed: bool, **more: Any) -> dict[str, Any]:
    return {"choice_id": choice["choice_id"], "passed": passed, **more}


def told(market: Market, choice: dict[str, Any]) -> list[tuple[int, bool]]:
    found = market.told("learning.course_graded", choice_id=choice["choice_id"])
    return [(each["version"], each["passed"]) for each in found]


def test_who_is_admitted_passes_or_fails_and_credits_is_told(taught: Class) -> None:
    market = taught.market
    (_, good), (_, bad) = taught.student(), taught.student()
    rows = [of(good, True, score="92.5"), of(bad, False)]
    assert grade(market, centre(), *rows) == [("CHANGED", ""), ("CHANGED", "")]
    assert (market.state(good), market.state(bad)) == ("PASSED", "FAILED")
    [event] = market.told("learning.course_graded", choice_id=good["choice_id"])
    assert (event["hours"], event["hour_type"], event["course_type"], event["year"], event["place"]) == (
        "18.00",
        "PROFESSIONAL",
        "REMOTE",
        2023,
        CITY,
    )
    assert told(market, bad) == [(1, False)]


def test_the_same_grade_again_changes_nothing(taught: Class) -> None:
    market = taught.market
    _, choice = taught.student()
    grade(market, centre(), of(choice, True))
    assert grade(market, centre(), of(choice, True)) == [("UNCHANGED", "")]
    assert told(market, choice) == [(1, True)]


def test_a_wrong_grade_is_turned_over_with_a_reason_and_its_history_stays(taught: Class) -> None:
    market = taught.market
    teacher, choice = taught.student()
    grade(market, centre(), of(choice, True))
    assert grade(market, centre(), of(choice, False)) == [("REFUSED", "learning.grade_reason_missing")]
    assert grade(market, centre(), of(choice, False, reason="误登")) == [("CHANGED", "")]
    assert (market.state(choice), told(market, choice)) == ("FAILED", [(1, True), (2, False)])
    for actor in (teacher, school_admin(), centre()):
        history = market.learning.call("get_grade_history", {"choice_id": choice["choice_id"]}, actor)
        assert [(step["passed"], step["reason"]) for step in history["steps"]] == [(True, ""), (False, "误登")]
    with pytest.raises(NotFound):
        market.learning.call("get_grade_history", {"choice_id": choice["choice_id"]}, market.teacher())


def test_a_corrected_score_is_nothing_to_credits(taught: Class) -> None:
    market = taught.market
    _, choice = taught.student()
    grade(market, centre(), of(choice, True, score="80"))
    assert grade(market, centre(), of(choice, True, score="81.5")) == [("CHANGED", "")]
    assert told(market, choice) == [(1, True)]


@pytest.mark.parametrize("charges", [("BILLED",), ("UNPAID",), ("BILLED", "VOID")])
def test_only_who_is_admitted_is_graded(taught: Class, charges: tuple[str, ...]) -> None:
    _, choice = taught.student(*charges)
    assert grade(taught.market, centre(), of(choice, True)) == [("REFUSED", "learning.not_admitted")]


def test_grades_wait_for_the_teaching_and_end_with_the_archive(taught: Class) -> None:
    market = taught.market
    _, choice = taught.student()
    taught._period("BILLED")
    assert grade(market, centre(), of(choice, True)) == [("REFUSED", "learning.grading_not_open")]
    taught.archive()
    assert grade(market, centre(), of(choice, True)) == [("REFUSED", "learning.grading_over")]


def test_what_is_graded_is_neither_void_nor_cancelled_nor_unpaid(taught: Class) -> None:
    market = taught.market
    teacher, choice = taught.student()
    grade(market, centre(), of(choice, True))
    market.charge(choice, "UNPAID", 9)
    assert market.state(choice) == "PASSED"
    market.at("2023-03-12T00:00:00+08:00")
    for act, actor in ((market.void, centre()), (market.cancel, teacher)):
        with pytest.raises(Conflict) as caught:
            act(actor, choice)
        assert caught.value.code == "learning.choice_state"


def test_only_the_keeper_of_the_period_and_the_institution_grade(market: Market) -> None:
    of_city, of_district = Class(market, *_course(market)), Class(market, *_course(market, DISTRICT, "DISTRICT"))
    unit = person(None, (Role.TRAINING_INSTITUTION, f"{CITY}/unit-7"))
    of_unit = Class(market, *_course(market, charging_place=f"{CITY}/unit-7"))
    for taught, right, wrong in (
        (of_city, [centre()], [institution(), centre("CN/440000/440200"), unit]),
        (of_district, [institution()], [centre(), institution(NEIGHBOUR)]),
        (of_unit, [unit, centre()], [institution()]),
    ):
        _, choice = taught.student()
        for actor in wrong:
            with pytest.raises(NotFound) as caught:
                grade(market, actor, of(choice, True))
            assert caught.value.code == "learning.choice_unknown"
        for actor in (school_admin(), market.teacher()):
            with pytest.raises(NotAllowed):
                grade(market, actor, of(choice, True))
        for actor in right:
            assert grade(market, actor, of(choice, True))[0][0] in ("CHANGED", "UNCHANGED")


def _course(market: Market, place: str = CITY, tier: str = "CITY", **terms: Any) -> tuple[Any, Any]:
    period = market.period(place_id=place, tier=tier)
    return period, market.offering(period, **terms)


def test_nobody_grades_himself(taught: Class) -> None:
    teacher, choice = taught.student()
    as_centre = dataclasses.replace(centre(), account_id=teacher.account_id)
    assert grade(taught.market, as_centre, of(choice, True)) == [("REFUSED", "learning.not_your_own_grade")]


def test_a_teacher_who_moved_is_graded_all_the_same(market: Market) -> None:
    taught = Class(market, *_course(market, DISTRICT, "DISTRICT"))
    teacher, choice = taught.student()
    market.teacher(FAR_SCHOOL, actor=teacher, version=2)
    assert grade(market, institution(), of(choice, True)) == [("CHANGED", "")]


def test_each_row_is_decided_by_itself(taught: Class) -> None:
    _, choice = taught.student()
    unknown = {"choice_id": str(new_id()), "passed": True}
    assert grade(taught.market, centre(), unknown, of(choice, True)) == [
        ("REFUSED", "learning.choice_unknown"),
        ("CHANGED", ""),
    ]


@pytest.mark.parametrize("score", ["-1", "100.1", "NaN", "x"])
def test_a_score_is_a_number_up_to_a_hundred(taught: Class, score: str) -> None:
    _, choice = taught.student()
    with pytest.raises(InvalidInput):
        grade(taught.market, centre(), of(choice, True, score=score))


def test_pass_rates_follow_the_grades(taught: Class) -> None:
    market = taught.market
    choices = [taught.student()[1] for _ in range(3)]
    grade(market, centre(), *(of(choice, number > 0) for number, choice in enumerate(choices)))
    market.learning.service.fold_choices(market.clock.instant)
    wanted = {"place": SCHOOL, "period_id": taught.period["period_id"]}
    [figures] = market.learning.call("list_choice_statistics", wanted, school_admin())["items"]
    assert (figures["passed"], figures["failed"], figures["admitted"], figures["pass_rate"]) == (2, 1, 0, "66.7")
    proof = market.learning.call("reconcile_choices", {}, service_actor("cli"))
    assert proof["differences"] == []


def test_grades_come_by_roster(taught: Class, component: Any) -> None:
    market = taught.market
    actor = centre()
    grants = {"account_id": str(actor.account_id), "version": 1, "grants": [["CITY_CENTRE", CITY]]}
    market.learning.deliver("on_grants_changed", "org.grants_changed", grants)
    bulk = component(LearningBulkService)
    (good, first), (_, second) = taught.student(), taught.student("BILLED")
    rows = [
        {"teacher_id": choice["teacher_id"], "offering_id": choice["offering_id"], "grade": word, "score": score}
        for choice, word, score in ((first, "合格", "88.5"), (second, "不合格", ""))
    ]
    stranger = {**rows[0], "teacher_id": str(market.teacher().account_id)}
    job = {"kind": "enter_grades", "rows": [*rows, stranger, {**rows[0], "score": "101"}], "at_once": True}
    job_id = bulk.call("submit_rows", job, actor)["job_id"]
    while bulk.service.runner.run_next():
        pass
    page = bulk.call("list_job_rows", {"job_id": job_id}, actor)["items"]
    assert [(row["outcome"], row["code"]) for row in page] == [
        ("CHANGED", ""),
        ("REFUSED", "learning.not_admitted"),
        ("REFUSED", "learning.choice_unknown"),
        ("REFUSED", "learning.score_malformed"),
    ]
    assert market.state(first) == "PASSED"
    assert market.learning.call("list_own_choices", {"bucket": "PASSED"}, good)["items"][0]["state"] == "PASSED"
