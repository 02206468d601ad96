"""Choosing and cancelling: who may, when, and what every refusal is called."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.shared.errors import Conflict, NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import (
    CITY,
    DISTRICT,
    EVERYBODY,
    FAR_SCHOOL,
    NEIGHBOUR,
    OTHER_SCHOOL,
    SCHOOL,
    SCHOOL_IDS,
    Market,
    centre,
    institution,
    school_admin,
)
from tests.conftest import person


def refused(kind: Any, code: str, act: Any, *given: Any) -> None:
    with pytest.raises(kind) as caught:
        act(*given)
    assert caught.value.code == code


def test_a_teacher_takes_a_seat_and_gives_it_back(market: Market) -> None:
    offering, teacher = market.offering(market.period(), capacity=1), market.teacher()
    choice = market.choose(teacher, offering)
    assert (choice["state"], choice["chosen_by"], market.taken(offering)) == ("CHOSEN", "SELF", 1)
    assert market.cancel(teacher, choice)["state"] == "CANCELLED"
    assert market.taken(offering) == 0
    again = market.choose(teacher, offering)
    assert again["choice_id"] == choice["choice_id"]
    versions = [told["version"] for told in market.told("learning.choice_changed", choice_id=choice["choice_id"])]
    assert versions == [1, 2, 3]


def test_choosing_twice_takes_one_seat(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    first = market.choose(teacher, offering, "key-1")
    assert market.choose(teacher, offering, "key-1") == first
    assert market.choose(teacher, offering, "key-2")["choice_id"] == first["choice_id"]
    assert market.taken(offering) == 1
    assert len(market.told("learning.choice_changed", choice_id=first["choice_id"])) == 1


def test_a_late_repetition_does_not_choose_again_what_was_cancelled(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    choice = market.choose(teacher, offering, "key-late")
    market.cancel(teacher, choice)
    market.choose(teacher, offering, "key-late")
    assert market.state(choice) == "CANCELLED"


@pytest.mark.parametrize(
    ("instant", "code"),
    [
        ("2023-02-28T23:59:59+08:00", "learning.selection_not_open"),
        ("2023-03-01T00:00:00+08:00", ""),
        ("2023-03-10T23:59:59.999+08:00", ""),
        ("2023-03-11T00:00:00+08:00", "learning.selection_over"),
    ],
)
def test_the_window_is_half_open_at_beijing_midnights(market: Market, instant: str, code: str) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    market.at(instant)
    if code:
        refused(Conflict, code, market.choose, teacher, offering)
    else:
        assert market.choose(teacher, offering)["state"] == "CHOSEN"


def test_outside_the_window_nobody_of_the_school_cancels(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    choice = market.choose(teacher, offering)
    market.at("2023-03-11T00:00:00+08:00")
    for actor in (teacher, school_admin()):
        refused(Conflict, "learning.selection_over", market.cancel, actor, choice)


@pytest.mark.parametrize("state", ["PLANNED", "CLOSED", "BILLED", "TEACHING", "GRADED", "ARCHIVED"])
def test_only_a_published_period_can_be_chosen_from(market: Market, state: str) -> None:
    offering = market.offering(market.period(state=state))
    code = "learning.selection_not_open" if state == "PLANNED" else "learning.selection_over"
    refused(Conflict, code, market.choose, market.teacher(), offering)


def test_a_district_s_courses_are_for_that_district(market: Market) -> None:
    offering = market.offering(market.period(tier="DISTRICT", place_id=DISTRICT))
    assert market.choose(market.teacher(SCHOOL), offering)["state"] == "CHOSEN"
    refused(NotFound, "learning.offering_unknown", market.choose, market.teacher(FAR_SCHOOL), offering)


def test_an_unknown_offering_and_a_foreign_one_look_alike(market: Market) -> None:
    elsewhere = market.offering(market.period(place_id="CN/440000/440200"))
    for offering in (elsewhere, {"offering_id": str(new_id())}):
        refused(NotFound, "learning.offering_unknown", market.choose, market.teacher(), offering)


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        ({}, True),
        ({"segments": ["PRIMARY"]}, True),
        ({"segments": ["JUNIOR"]}, False),
        ({"subjects": ["CHINESE", "ENGLISH"]}, True),
        ({"subjects": ["ENGLISH"]}, False),
        ({"place_ids": [DISTRICT]}, True),
        ({"place_ids": [NEIGHBOUR]}, False),
        ({"school_ids": [str(SCHOOL_IDS[SCHOOL])]}, True),
        ({"school_ids": [str(SCHOOL_IDS[OTHER_SCHOOL])]}, False),
        ({"segments": ["PRIMARY"], "subjects": ["ENGLISH"]}, False),
    ],
)
def test_only_the_audience_chooses(market: Market, audience: dict[str, Any], fits: bool) -> None:
    offering = market.offering(market.period(), audience={**EVERYBODY, **audience})
    teacher = market.teacher()
    if fits:
        assert market.choose(teacher, offering)["state"] == "CHOSEN"
    else:
        refused(Conflict, "learning.not_in_audience", market.choose, teacher, offering)
        refused(Conflict, "learning.not_in_audience", market.choose_for, school_admin(), teacher, offering)


@pytest.mark.parametrize("state", ["REJECTED", "RELEASED"])
def test_whoever_belongs_to_no_school_cannot_choose(market: Market, state: str) -> None:
    offering = market.offering(market.period())
    for teacher in (market.teacher(state=state), market.teacher(f"{DISTRICT}/other"), person()):
        refused(Conflict, "learning.choice_needs_school", market.choose, teacher, offering)


def test_a_teacher_who_waits_for_verification_chooses(market: Market) -> None:
    assert market.choose(market.teacher(state="PENDING"), market.offering(market.period()))["state"] == "CHOSEN"


def test_students_do_not_choose(market: Market) -> None:
    student = dataclasses.replace(market.teacher(), identity="STUDENT")
    refused(NotAllowed, "learning.teachers_only", market.choose, student, market.offering(market.period()))


def test_a_special_user_cannot_choose_and_is_not_chosen_for(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    market.billing.held[str(teacher.account_id)] = ["SELECTION", "TRANSFER"]
    refused(Conflict, "learning.special_user", market.choose, teacher, offering)
    refused(Conflict, "learning.special_user", market.choose_for, school_admin(), teacher, offering)
    market.billing.held[str(teacher.account_id)] = ["TRANSFER"]  # a district's arrears
    assert market.choose(teacher, offering)["state"] == "CHOSEN"


def test_when_billing_does_not_answer_nobody_chooses(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    market.billing.down = True
    refused(Unavailable, "learning.holds_unknown", market.choose, teacher, offering)
    refused(Unavailable, "learning.holds_unknown", market.choose_for, school_admin(), teacher, offering)
    assert market.taken(offering) == 0


def test_the_last_seat_is_the_last(market: Market) -> None:
    offering = market.offering(market.period(), capacity=1)
    market.choose(market.teacher(), offering)
    refused(Conflict, "learning.offering_full", market.choose, market.teacher(), offering)


def test_fewer_seats_than_are_taken_take_nobody_s_away(market: Market) -> None:
    period = market.period()
    offering = market.offering(period, capacity=2)
    first = market.choose(market.teacher(), offering)
    market.choose(market.teacher(), offering)
    market.offering(period, offering_id=offering["offering_id"], version=2, capacity=1)
    assert (market.taken(offering), market.state(first)) == (2, "CHOSEN")
    refused(Conflict, "learning.offering_full", market.choose, market.teacher(), offering)


def test_old_news_of_the_catalogue_changes_nothing(market: Market) -> None:
    period = market.period(version=2)
    market.period(period_id=period["period_id"], version=1, state="PLANNED")
    offering = market.offering(period, version=5)
    market.offering(period, offering_id=offering["offering_id"], version=4, state="WITHDRAWN")
    assert market.choose(market.teacher(), offering)["state"] == "CHOSEN"


def test_the_school_chooses_for_its_own_teachers_only(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    choice = market.choose_for(school_admin(), teacher, offering)
    assert (choice["state"], choice["chosen_by"]) == ("CHOSEN", "ADMIN")
    assert market.count("SELECT count(*) FROM audit WHERE subject = :id", id=str(teacher.account_id)) == 1
    refused(NotFound, "learning.teacher_unknown", market.choose_for, school_admin(OTHER_SCHOOL), teacher, offering)
    for role in (institution(), centre(), teacher):
        refused(NotAllowed, "shared.not_allowed", market.choose_for, role, teacher, offering)


def test_capability_courses_are_the_teacher_s_own_choice(market: Market) -> None:
    """S3:366, 371: the school may delete, not add."""
    offering, teacher = market.offering(market.period(), capability=True), market.teacher()
    refused(Conflict, "learning.own_choice_only", market.choose_for, school_admin(), teacher, offering)
    choice = market.choose(teacher, offering)
    assert market.cancel(school_admin(), choice)["state"] == "CANCELLED"


def test_only_the_teacher_and_the_school_cancel(market: Market) -> None:
    teacher = market.teacher()
    choice = market.choose(teacher, market.offering(market.period()))
    for actor in (market.teacher(), school_admin(OTHER_SCHOOL), centre()):
        refused((NotFound, NotAllowed), "learning.choice_unknown", market.cancel, actor, choice)
    assert market.cancel(school_admin(), choice)["state"] == "CANCELLED"
    assert market.cancel(teacher, choice)["state"] == "CANCELLED"  # once more changes nothing
    assert len(market.told("learning.choice_changed", choice_id=choice["choice_id"])) == 2


def test_a_withdrawn_offering_voids_what_was_chosen(market: Market) -> None:
    period = market.period()
    offering, teacher = market.offering(period), market.teacher()
    choice, other = market.choose(teacher, offering), market.choose(market.teacher(), offering)
    market.offering(period, offering_id=offering["offering_id"], version=2, state="WITHDRAWN")
    assert (market.state(choice), market.state(other), market.taken(offering)) == ("VOID", "VOID", 0)
    refused(Conflict, "learning.choice_state", market.choose, teacher, offering)
    refused(Conflict, "learning.offering_withdrawn", market.choose, market.teacher(), offering)
    refused(Conflict, "learning.choice_state", market.cancel, teacher, choice)


# --- after the window ---------------------------------------------------------------------------------------------------


def test_after_the_window_the_charging_institution_voids(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    choice = market.choose(teacher, offering)
    refused(Conflict, "learning.selection_running", market.void, centre(), choice)
    market.at("2023-03-11T00:00:00+08:00")
    market.close()
    assert market.void(centre(), choice)["state"] == "VOID"
    assert (market.void(centre(), choice)["state"], market.taken(offering)) == ("VOID", 0)
    assert market.count("SELECT count(*) FROM audit WHERE subject = :id", id=str(teacher.account_id)) == 1


def test_only_the_institution_of_the_course_voids(market: Market) -> None:
    of_city = market.choose(market.teacher(), market.offering(market.period()))
    district = market.period(tier="DISTRICT", place_id=DISTRICT)
    of_district = market.choose(market.teacher(), market.offering(district))
    market.at("2023-03-12T00:00:00+08:00")
    market.close()
    for actor, choice in (
        (institution(), of_city),
        (centre(), of_district),
        (institution(NEIGHBOUR), of_district),
        (centre("CN/440000/440200"), of_city),
    ):
        refused(NotFound, "learning.choice_unknown", market.void, actor, choice)
    for actor in (school_admin(), market.teacher()):
        refused(NotAllowed, "shared.not_allowed", market.void, actor, of_city)
    assert market.void(institution(), of_district)["state"] == "VOID"
    assert market.void(centre(), of_city)["state"] == "VOID"


def test_billing_s_news_move_a_choice(market: Market) -> None:
    choice = market.choose(market.teacher(), market.offering(market.period()))
    for version, state in enumerate(("BILLED", "UNPAID", "ADMITTED"), start=1):
        market.charge(choice, state, version)
        assert market.state(choice) == state
    market.charge(choice, "UNPAID", 2)  # late
    assert market.state(choice) == "ADMITTED"
    assert [each["version"] for each in market.told("learning.choice_changed", choice_id=choice["choice_id"])] == [
        1,
        2,
        3,
        4,
    ]


def test_what_is_void_stays_void_whatever_billing_says(market: Market) -> None:
    choice = market.choose(market.teacher(), market.offering(market.period()))
    market.at("2023-03-12T00:00:00+08:00")
    market.void(centre(), choice)
    market.charge(choice, "ADMITTED", 1)
    assert market.state(choice) == "VOID"


@pytest.mark.parametrize("state", ["BILLED", "ADMITTED", "UNPAID"])
def test_what_is_billed_can_be_void_but_not_cancelled(market: Market, state: str) -> None:
    teacher = market.teacher()
    choice = market.choose(teacher, market.offering(market.period()))
    market.charge(choice, state, 1)
    refused(Conflict, "learning.choice_state", market.cancel, teacher, choice)
    market.at("2023-03-12T00:00:00+08:00")
    assert market.void(centre(CITY), choice)["state"] == "VOID"


def employed(market: Market, teacher: Any, status: str, version: int) -> None:
    payload = {"teacher_id": str(teacher.account_id), "version": version, "status": status, "place": SCHOOL}
    market.learning.deliver("on_employment_changed", "org.employment_changed", payload)


@pytest.mark.parametrize(
    "status", ["LEFT", "RETIRED", "SECONDED", "SICK_LEAVE", "MATERNITY_LEAVE", "ABROAD", "DECEASED"]
)
def test_who_is_archived_chooses_nothing_and_nobody_chooses_for_her(market: Market, status: str) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    employed(market, teacher, status, 1)
    refused(Conflict, "learning.archived", market.choose, teacher, offering)
    refused(Conflict, "learning.archived", market.choose_for, school_admin(), teacher, offering)
    market.learning.call("put_in_basket", {"offering_id": offering["offering_id"]}, teacher)
    [line] = market.learning.call("get_basket", {}, teacher)["lines"]
    assert line["refusal"] == "learning.archived"
    assert market.taken(offering) == 0


def test_who_is_restored_chooses_again_whatever_the_order_of_news(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    employed(market, teacher, "ON_DUTY", 2)
    employed(market, teacher, "LEFT", 1)
    assert market.choose(teacher, offering)["state"] == "CHOSEN"


def test_what_was_chosen_before_the_archive_can_still_be_given_back(market: Market) -> None:
    offering, teacher = market.offering(market.period()), market.teacher()
    choice = market.choose(teacher, offering)
    employed(market, teacher, "RETIRED", 1)
    assert market.cancel(teacher, choice)["state"] == "CANCELLED"
    assert market.taken(offering) == 0
