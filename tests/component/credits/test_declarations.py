"""Declared hours from the draft to the ledger and back: every round readable, one entry, never two."""

from __future__ import annotations

import threading

import pytest

from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from tests.component.credits.conftest import SCHOOL_PLACE, membership
from tests.conftest import person

COUNTY, CITY = "CN/440000/440100/440103", "CN/440000/440100"
GUANGXI_SCHOOL = "CN/450000/450100/450103/s7"
TEXT = {
    "year": 2023,
    "kind": "DECLARATION",
    "title": "全国小学数学教学研讨会",
    "institution": "中国教育学会",
    "hours": "12",
    "started_on": "2023-10-01",
    "ended_on": "2023-10-03",
    "hour_type": "专业科目",
}


@pytest.fixture
def now(fixed_clock):
    fixed_clock.instant = clock.parse_instant("2023-11-20T10:00:00+08:00")
    return fixed_clock


@pytest.fixture
def place_teacher(recognition):
    def put(place=SCHOOL_PLACE, version=1, teacher=None):
        actor = teacher or person()
        recognition.deliver("on_membership_changed", *membership(actor.account_id, place, version))
        return actor

    return put


@pytest.fixture
def teacher(now, place_teacher):
    return place_teacher()


@pytest.fixture
def declare(credits_service):
    """A declaration of the teacher's, submitted."""

    def make(teacher, **changes):
        made = credits_service.call("create_declaration", {**TEXT, **changes}, teacher)
        return credits_service.call("submit_declaration", {"declaration_id": made["declaration_id"]}, teacher)

    return make


@pytest.fixture
def act(credits_service):
    def call(method, declaration, actor, **more):
        return credits_service.call(method, {"declaration_id": declaration["declaration_id"], **more}, actor)

    return call


SCHOOL = person(None, (Role.SCHOOL_ADMIN, SCHOOL_PLACE))
DEPARTMENT = person(None, (Role.COUNTY_ADMIN, COUNTY))


def entries(credits_service, teacher):
    return [
        (entry["source_kind"], entry["amount"], entry["unit"], entry["hour_type"])
        for entry in credits_service.call("list_ledger", {}, teacher)["items"]
    ]


def test_w42_returned_twice_the_third_round_makes_one_entry(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    act("return_declaration", declaration, SCHOOL, reason="缺少证明")
    act("edit_declaration", declaration, teacher, **{**TEXT, "title": "研讨会（附证明）"})
    act("submit_declaration", declaration, teacher)
    act("pass_declaration", declaration, SCHOOL)
    act("return_declaration", declaration, DEPARTMENT, reason="学时与证明不符")
    act("submit_declaration", declaration, teacher)
    act("pass_declaration", declaration, SCHOOL)
    approved = act("approve_declaration", declaration, DEPARTMENT)
    assert (approved["state"], approved["round"]) == ("APPROVED", 3)
    rounds = act("get_declaration", declaration, teacher)["rounds"]
    assert [(r["round"], r["content"]["title"], r["first_outcome"], r["final_outcome"]) for r in rounds] == [
        (1, TEXT["title"], "RETURN", None),
        (2, "研讨会（附证明）", "PASS", "RETURN"),
        (3, "研讨会（附证明）", "PASS", "APPROVE"),
    ]
    assert [(r["first_reason"], r["final_reason"]) for r in rounds[:2]] == [("缺少证明", ""), ("", "学时与证明不符")]
    assert entries(credits_service, teacher) == [("DECLARATION", "12.00", "HOUR", "专业科目")]
    told = [
        payload["state"]
        for payload in credits_service.outbox("credits.declaration_changed")
        if payload["declaration_id"] == declaration["declaration_id"]
    ]
    assert told == ["RETURNED", "RETURNED", "APPROVED"]


def test_w32_hours_are_entered_until_the_year_ends_and_not_a_day_longer(
    credits_service, now, place_teacher, declare, act
):
    """24 hours of special training: on 30 December they are 专业科目 of that year, on 2 January they are too late there."""
    special = {"title": "专项培训", "hours": "24", "started_on": "2023-12-01", "ended_on": "2023-12-20"}
    now.instant = clock.parse_instant("2023-12-30T10:00:00+08:00")
    in_time, late = place_teacher(), place_teacher()
    declaration, waiting = declare(in_time, **special), declare(late, **special)
    act("pass_declaration", declaration, SCHOOL)
    act("pass_declaration", waiting, SCHOOL)
    act("approve_declaration", declaration, DEPARTMENT)
    [entry] = credits_service.call("list_ledger", {}, in_time)["items"]
    assert (entry["amount"], entry["hour_type"], entry["year"]) == ("24.00", "专业科目", 2023)

    now.instant = clock.parse_instant("2024-01-02T10:00:00+08:00")
    for attempt in (
        lambda: declare(late, **special),
        lambda: act("approve_declaration", waiting, DEPARTMENT),
    ):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "credits.declaration_late"
    assert entries(credits_service, late) == []
    # The exception's route is the complaint about the frozen year (`test_verification.py`). Elsewhere nobody set a day.
    elsewhere = place_teacher(GUANGXI_SCHOOL)
    assert declare(elsewhere, **special, training_form="集中培训")["state"] == "FIRST_REVIEW"


def test_a_repeated_approval_answers_again_and_a_second_one_is_refused(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    key, arguments = str(new_id()), {"declaration_id": declaration["declaration_id"]}
    first = credits_service.call("approve_declaration", arguments, DEPARTMENT, command_id=key)
    assert credits_service.call("approve_declaration", arguments, DEPARTMENT, command_id=key) == first
    with pytest.raises(Conflict, match="declaration_state"):
        act("approve_declaration", declaration, DEPARTMENT)
    assert len(entries(credits_service, teacher)) == 1


def test_two_departments_at_the_same_moment_make_one_entry(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    reviewers = [person(None, (Role.COUNTY_ADMIN, COUNTY)), person(None, (Role.CITY_ADMIN, CITY))]
    outcomes = []

    def approve(reviewer):
        try:
            outcomes.append(act("approve_declaration", declaration, reviewer)["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=approve, args=(reviewer,)) for reviewer in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["APPROVED", "credits.declaration_state"]
    assert len(entries(credits_service, teacher)) == 1


def test_voiding_takes_back_by_an_entry_that_names_the_first(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    act("approve_declaration", declaration, DEPARTMENT)
    assert act("void_declaration", declaration, DEPARTMENT, reason="证明系伪造")["state"] == "VOIDED"
    reversal, award = credits_service.call("list_ledger", {}, teacher)["items"]
    assert (reversal["amount"], reversal["source_kind"], reversal["reversal_of"]) == (
        ("-12.00", "CORRECTION", award["entry_id"])
    )
    assert "证明系伪造" in reversal["explanation"]["why"]
    with pytest.raises(Conflict, match="declaration_state"):
        act("void_declaration", declaration, DEPARTMENT, reason="再次")


def test_w24_where_the_province_counts_credits_the_hours_are_converted_in_the_open(
    credits_service, now, place_teacher, declare, act
):
    teacher = place_teacher(GUANGXI_SCHOOL)
    declaration = declare(teacher, hours="50", hour_type="", training_form="远程培训")
    act("pass_declaration", declaration, person(None, (Role.SCHOOL_ADMIN, GUANGXI_SCHOOL)))
    act("approve_declaration", declaration, person(None, (Role.CITY_ADMIN, "CN/450000/450100")))
    (entry,) = credits_service.call("list_ledger", {}, teacher)["items"]
    assert (entry["amount"], entry["unit"], entry["explanation"]["rule_id"]) == ("16.67", "CREDIT", "GX.CONV")
    assert "50.00 hours at 3 hours a credit" in entry["explanation"]["why"]


def test_who_is_not_verified_declares_nothing(credits_service, now):
    with pytest.raises(Conflict, match="not_verified"):
        credits_service.call("create_declaration", TEXT, person())


def test_reviewers_keep_to_their_turn_their_territory_and_other_people(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    neighbour = person(None, (Role.SCHOOL_ADMIN, COUNTY + "/s2"))
    other_county = person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440105"))
    for stranger in (neighbour, other_county, person()):
        with pytest.raises(NotFound, match="declaration_unknown"):
            act("get_declaration", declaration, stranger)
    with pytest.raises(NotFound, match="declaration_unknown"):
        act("pass_declaration", declaration, neighbour)
    with pytest.raises(NotAllowed):
        act("pass_declaration", declaration, DEPARTMENT)  # the school speaks first
    with pytest.raises(NotAllowed):
        act("return_declaration", declaration, DEPARTMENT, reason="越级")
    with pytest.raises(Conflict, match="declaration_state"):
        act("approve_declaration", declaration, DEPARTMENT)
    act("pass_declaration", declaration, SCHOOL)
    with pytest.raises(NotAllowed):
        act("return_declaration", declaration, SCHOOL, reason="反悔")
    both = person(SCHOOL.account_id, (Role.COUNTY_ADMIN, COUNTY))
    with pytest.raises(NotAllowed, match="declaration_same_reviewer"):
        act("approve_declaration", declaration, both)


def test_nobody_reviews_the_own_declaration(credits_service, now, place_teacher, declare, act):
    teacher = place_teacher()
    declaration = declare(teacher)
    with pytest.raises(NotAllowed, match="declaration_own"):
        act("pass_declaration", declaration, person(teacher.account_id, (Role.SCHOOL_ADMIN, SCHOOL_PLACE)))


def test_a_draft_is_its_authors_alone(credits_service, teacher, act):
    draft = credits_service.call("create_declaration", TEXT, teacher)
    with pytest.raises(NotFound, match="declaration_unknown"):
        act("get_declaration", draft, SCHOOL)
    listed = credits_service.call("list_declarations", {"place": SCHOOL_PLACE}, SCHOOL)["items"]
    assert draft["declaration_id"] not in {item["declaration_id"] for item in listed}


def test_reviewers_see_what_waits_where_the_teacher_is_now(credits_service, now, place_teacher, declare):
    teacher = place_teacher()
    declaration = declare(teacher)["declaration_id"]

    def waiting(actor, place):
        arguments = {"place": place, "state": "FIRST_REVIEW"}
        found = credits_service.call("list_declarations", arguments, actor)["items"]
        return declaration in {item["declaration_id"] for item in found}

    assert waiting(SCHOOL, SCHOOL_PLACE)
    assert waiting(DEPARTMENT, COUNTY)
    place_teacher("CN/440000/440100/440105/s9", 2, teacher)
    assert not waiting(SCHOOL, SCHOOL_PLACE)
    with pytest.raises(NotFound):
        waiting(SCHOOL, "CN/440000/440100/440105/s9")


def test_withdrawing_ends_it_at_any_time_before_the_decision(credits_service, teacher, declare, act):
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    assert act("withdraw_declaration", declaration, teacher)["state"] == "WITHDRAWN"
    with pytest.raises(Conflict):
        act("approve_declaration", declaration, DEPARTMENT)
    with pytest.raises(NotFound):
        act("withdraw_declaration", declaration, person())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"year": 2021, "started_on": "2021-10-01", "ended_on": "2021-10-02"}, "declaration_year"),
        ({"ended_on": "2023-12-01"}, "declaration_dates"),
        ({"hours": "0"}, "declaration_hours"),
        ({"hours": "1e1"}, "shared"),
        ({"hours": 12}, "shared"),
        ({"kind": "HOLIDAY"}, "shared"),
        ({"title": ""}, "shared"),
        ({"title": "a\u202eb"}, "shared"),
        ({"hour_type": "公共必修"}, "category_unknown"),
        ({"surprise": 1}, "shared"),
    ],
)
def test_bad_input_is_refused(credits_service, teacher, change, code):
    with pytest.raises(InvalidInput, match=code):
        credits_service.call("create_declaration", {**TEXT, **change}, teacher)


@pytest.mark.parametrize(
    ("role", "place", "level"),
    [
        (Role.DISTRICT_INSTITUTION, COUNTY, "COUNTY"),
        (Role.CITY_CENTRE, COUNTY.rpartition("/")[0], "CITY"),
        (Role.PROVINCE_ADMIN, "CN/440000", "PROVINCE"),
    ],
)
def test_it_is_told_which_of_the_four_levels_recognised_the_hours(
    credits_service, teacher, declare, act, role, place, level
):
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    assert act("get_declaration", declaration, teacher)["recogniser"] is None
    approved = act("approve_declaration", declaration, person(None, (role, place)))
    assert approved["recogniser"] == level
    [entry] = credits_service.call("list_ledger", {}, teacher)["items"]
    assert entry["recogniser"] == level
    asked = {"place": COUNTY, "limit": 200}
    by_level = {
        each: [
            item["declaration_id"]
            for item in credits_service.call("list_declarations", {**asked, "recogniser": each}, DEPARTMENT)["items"]
        ]
        for each in ("COUNTY", "CITY", "PROVINCE")
    }
    assert [each for each, ids in by_level.items() if declaration["declaration_id"] in ids] == [level]


def test_who_also_keeps_a_school_recognises_as_the_department(credits_service, teacher, declare, act):
    """The nearest of somebody's grants may be one that recognises nothing."""
    declaration = declare(teacher)
    act("pass_declaration", declaration, SCHOOL)
    both = person(None, (Role.COUNTY_ADMIN, COUNTY), (Role.SCHOOL_ADMIN, SCHOOL_PLACE))
    assert act("approve_declaration", declaration, both)["recogniser"] == "COUNTY"
