"""Hours of a passed course in the ledger: once, under the local pack, and back again when the grade is turned over."""

from __future__ import annotations

import concurrent.futures

import pytest

from services.credits import queries
from services.learning import contract as learning
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.credits.conftest import membership, told
from tests.conftest import person

GUANGZHOU = "CN/440000/440100"


@pytest.fixture
def grade(recognition):
    """`grade(teacher, choice_id, passed, version)`: what learning tells of it."""

    def tell(teacher, choice_id, passed=True, version=1, **changes):
        payload = {
            "choice_id": str(choice_id),
            "version": version,
            "teacher_id": str(teacher.account_id),
            "offering_id": str(new_id()),
            "period_id": str(new_id()),
            "period_code": "2023-1",
            "course_no": "C0001",
            "title": "信息技术与教学",
            "passed": passed,
            "hours": "18.00",
            "hour_type": "PROFESSIONAL",
            "course_type": "REMOTE",
            "year": 2023,
            "place": GUANGZHOU,
            "graded_on": "2023-06-20",
            **changes,
        }
        recognition.deliver("on_course_graded", *told(learning.grades.COURSE_GRADED, payload))

    return tell


@pytest.fixture
def entries(credits_service):
    def rows(teacher):
        items = credits_service.call("list_ledger", {"limit": 100}, teacher)["items"]
        return [item for item in reversed(items) if item["source_ref"].startswith("course:")]

    return rows


@pytest.fixture
def cantonese(recognition, at):
    """A teacher in Guangzhou, whose years count in hours."""
    actor = person()
    recognition.deliver("on_membership_changed", *membership(actor.account_id, f"{GUANGZHOU}/440103/s1"))
    return actor


def state_of(recognition, choice_id):
    from services.credits.grades.models import CourseGrade

    with recognition.database.work() as db:
        return db.query(CourseGrade).filter_by(choice_id=choice_id).one().state


def test_a_passed_course_brings_its_hours_once(recognition, cantonese, grade, entries, verification):
    choice_id = new_id()
    for _ in range(3):  # the same grade under new event ids
        grade(cantonese, choice_id)
    [entry] = entries(cantonese)
    assert (entry["source_kind"], entry["amount"], entry["unit"], entry["year"]) == ("COURSE", "18.00", "HOUR", 2023)
    assert (entry["hour_type"], entry["training_form"]) == ("专业科目", "远程培训")
    assert "C0001" in entry["explanation"]["why"]
    assert state_of(recognition, choice_id) == "ENTERED"
    assert verification(cantonese)["verification"]["amounts"]["专业科目"] == "18.00"


def test_where_the_pack_counts_in_credits_the_hours_are_converted(teacher, grade, entries, verification):
    grade(teacher, new_id(), course_type="FACE_TO_FACE", hours="18.00")
    [entry] = entries(teacher)
    assert (entry["amount"], entry["unit"], entry["training_form"]) == ("6.00", "CREDIT", "集中培训")
    assert verification(teacher)["verification"]["amounts"]["集中培训"] == "6.00"


def test_a_fail_brings_nothing(recognition, cantonese, grade, entries):
    choice_id = new_id()
    grade(cantonese, choice_id, passed=False)
    assert (entries(cantonese), state_of(recognition, choice_id)) == ([], "NOTHING")


def test_a_grade_turned_over_is_a_reversal_and_turned_again_the_next_turn(cantonese, grade, entries, verification):
    choice_id = new_id()
    for version, passed in enumerate((True, False, True, False), start=1):
        grade(cantonese, choice_id, passed, version)
    found = entries(cantonese)
    assert [each["amount"] for each in found] == ["18.00", "-18.00", "18.00", "-18.00"]
    assert [each["reversal_of"] is not None for each in found] == [False, True, False, True]
    assert verification(cantonese)["verification"]["total"] == "0.00"


def test_old_news_changes_nothing(cantonese, grade, entries):
    choice_id = new_id()
    grade(cantonese, choice_id, passed=False, version=2)
    grade(cantonese, choice_id, passed=True, version=1)
    assert entries(cantonese) == []


def test_told_by_eight_at_once_it_counts_once(cantonese, grade, entries):
    choice_id = new_id()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: grade(cantonese, choice_id, version=version), range(1, 9)))
    assert [each["amount"] for each in entries(cantonese)] == ["18.00"]


def test_sabotage_without_the_lock_the_natural_key_still_holds(cantonese, grade, entries, monkeypatch):
    """The lock away, and the ledger's standing not seen: the n-th change of a source exists once all the same."""
    choice_id = new_id()
    grade(cantonese, choice_id)
    monkeypatch.setattr(queries, "lock_teacher_years", lambda *_: None)
    monkeypatch.setattr("services.credits.grades.actions.standing_awards", lambda *_: [])
    monkeypatch.setattr("services.credits.grades.actions.next_turn", lambda *_: 1)
    with pytest.raises(ValueError, match="turn"):
        grade(cantonese, choice_id, version=2)
    assert [each["amount"] for each in entries(cantonese)] == ["18.00"]


def test_sabotage_without_looking_at_what_stands_it_counts_twice(cantonese, grade, entries, monkeypatch):
    """The twin: with the look at the ledger gone, a second telling doubles the hours."""
    choice_id = new_id()
    grade(cantonese, choice_id)
    monkeypatch.setattr("services.credits.grades.actions.standing_awards", lambda *_: [])
    grade(cantonese, choice_id, version=2)
    assert [each["amount"] for each in entries(cantonese)] == ["18.00", "18.00"]


def test_a_frozen_year_takes_nothing_and_gives_nothing_back(
    recognition, cantonese, grade, entries, freeze, verification
):
    before, late = new_id(), new_id()
    grade(cantonese, before)
    freeze()
    grade(cantonese, late)
    grade(cantonese, before, passed=False, version=2)
    assert [each["amount"] for each in entries(cantonese)] == ["18.00"]
    assert (state_of(recognition, late), state_of(recognition, before)) == ("HELD", "HELD_BACK")
    assert verification(cantonese)["verification"]["total"] == "18.00"


def test_what_a_frozen_year_could_not_take_is_listed_for_who_answers_complaints(
    credits_service, cantonese, grade, freeze
):
    before, late = new_id(), new_id()
    grade(cantonese, before)
    freeze()
    grade(cantonese, late, course_no="C0002")
    grade(cantonese, before, passed=False, version=2)
    district = f"{GUANGZHOU}/440103"
    handler = person(None, (Role.DISTRICT_INSTITUTION, district))

    def held(actor=handler, **more):
        items = credits_service.call("list_held_grades", {"place": district, **more}, actor)["items"]
        mine = [each for each in items if each["teacher_id"] == str(cantonese.account_id)]
        return [(each["course_no"], each["state"], each["hours"], each["passed"]) for each in mine]

    missing, standing = ("C0002", "HELD", "18.00", True), ("C0001", "HELD_BACK", "18.00", False)
    assert held() == [standing, missing]
    assert (held(state="HELD"), held(year=2023), held(year=2022)) == ([missing], [standing, missing], [])
    page = credits_service.call("list_held_grades", {"place": district, "limit": 1}, handler)
    assert page["next_cursor"] == page["items"][0]["choice_id"]
    with pytest.raises(InvalidInput):
        held(state="ENTERED")
    with pytest.raises(NotFound):
        held(person(None, (Role.DISTRICT_INSTITUTION, f"{GUANGZHOU}/440104")))
    with pytest.raises(NotAllowed):
        held(cantonese)


def test_whoever_left_every_school_is_recorded_where_she_was_taught(recognition, cantonese, grade, entries):
    released = membership(cantonese.account_id, "", 2)
    recognition.deliver("on_membership_changed", *released)
    grade(cantonese, new_id())
    assert [each["amount"] for each in entries(cantonese)] == ["18.00"]


def test_a_grade_of_january_belongs_to_the_year_of_its_period(cantonese, grade, entries, at):
    at("2024-01-05T10:00:00+08:00")
    grade(cantonese, new_id(), graded_on="2024-01-05")
    [entry] = entries(cantonese)
    assert (entry["year"], entry["effective_on"]) == (2023, "2023-12-31")
    assert clock.now().year == 2024
