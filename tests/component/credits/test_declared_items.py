"""Activities of a provincial table, declared with their quantity: the table says what they come to, and its caps hold."""

from __future__ import annotations

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput
from tests.component.credits.conftest import membership
from tests.conftest import person

COUNTY = "CN/450000/450100/450103"
SCHOOL, DEPARTMENT = person(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1")), person(None, (Role.COUNTY_ADMIN, COUNTY))
TEXT = {
    "year": 2023,
    "kind": "DECLARATION",
    "title": "校本研修",
    "institution": "本校",
    "started_on": "2023-10-01",
    "ended_on": "2023-10-03",
}


@pytest.fixture
def county():
    return COUNTY


@pytest.fixture
def create(credits_service):
    return lambda teacher, item, **changes: credits_service.call(
        "create_declaration", {**TEXT, "item": item, **changes}, teacher
    )


@pytest.fixture
def ready(credits_service, create):
    """A declaration that waits for the department."""

    def make(teacher, item, **changes):
        made = {"declaration_id": create(teacher, item, **changes)["declaration_id"]}
        credits_service.call("submit_declaration", made, teacher)
        credits_service.call("pass_declaration", made, SCHOOL)
        return made

    return make


@pytest.fixture
def approve(credits_service, ready):
    def make(teacher, item, **changes):
        made = ready(teacher, item, **changes)
        credits_service.call("approve_declaration", made, DEPARTMENT)
        return made

    return make


@pytest.fixture
def total(credits_service, teacher):
    def school_based():
        shown = credits_service.call("get_year_verification", {"year": 2023}, teacher)
        return shown["verification"]["amounts"]["校本研修"]

    return school_based


def test_w25_the_ledger_holds_what_the_table_pays(credits_service, teacher, approve, total):
    approve(teacher, {"item": "GXS.1", "half_days": 8})
    approve(teacher, {"item": "GXS.2", "hours": 36})
    approve(teacher, {"item": "GXS.7", "count": 4})
    approve(teacher, {"item": "GXS.6", "years": 1}, kind="TRAINER")
    assert total() == "12.00"
    entries = credits_service.call("list_ledger", {}, teacher)["items"]
    found = [
        (e["explanation"]["rule_id"], e["amount"], e["unit"], e["training_form"], e["source_kind"]) for e in entries
    ]
    assert found == [
        ("GXS.6", "2.00", "CREDIT", "校本研修", "TRAINER"),
        ("GXS.7", "3.00", "CREDIT", "校本研修", "DECLARATION"),
        ("GXS.2", "4.00", "CREDIT", "校本研修", "DECLARATION"),
        ("GXS.1", "3.00", "CREDIT", "校本研修", "DECLARATION"),
    ]
    told = entries[3]["explanation"]
    assert told["rule"]["en"].startswith("School training recorded")
    assert told["why"] == (
        "GXS.1: 0.00 -> 4.00, 8 half_days; GXS.1: 4.00 -> 3.00, at most 3.00 a year, 0.00 of it before"
    )


def test_w26_two_projects_share_the_cap_of_a_year(teacher, approve, total, credits_service):
    approve(teacher, {"item": "GXS.3", "level": "city"}, kind="RESEARCH")
    approve(teacher, {"item": "GXS.3", "level": "province"}, kind="RESEARCH")
    assert total() == "6.00"
    newest, first = credits_service.call("list_ledger", {}, teacher)["items"]
    assert (first["amount"], newest["amount"]) == ("4.00", "2.00")


def test_the_reviewer_sees_what_it_comes_to_before_deciding(credits_service, teacher, ready, approve):
    approve(teacher, {"item": "GXS.7", "count": 2})
    made = ready(teacher, {"item": "GXS.7", "count": 4})
    shown = credits_service.call("get_declaration", made, DEPARTMENT)
    assert shown["content"]["item"] == {"table": "guangxi-school-based-sample", "item": "GXS.7", "count": "4"}
    told = shown["assessment"]
    assert (told["amount"], told["unit"], told["rule_id"], told["pack_status"]) == ("1.00", "CREDIT", "GXS.7", "SAMPLE")
    assert told["why"] == ("GXS.7: 0.00 -> 4.00, 4 count; GXS.7: 4.00 -> 1.00, at most 3.00 a year, 2.00 of it before")
    credits_service.call("approve_declaration", made, DEPARTMENT)
    assert credits_service.call("get_declaration", made, teacher)["assessment"]["amount"] == "1.00"


def test_of_declared_hours_the_reviewer_sees_the_conversion(credits_service, teacher, ready):
    made = ready(teacher, None, hours="50", training_form="远程培训")
    told = credits_service.call("get_declaration", made, DEPARTMENT)["assessment"]
    assert (told["amount"], told["unit"], told["rule_id"]) == ("16.67", "CREDIT", "GX.CONV")


def test_beyond_a_used_up_cap_nothing_is_entered_until_room_is_made(credits_service, teacher, approve, total):
    first = approve(teacher, {"item": "GXS.1", "half_days": 6})
    second = approve(teacher, {"item": "GXS.1", "half_days": 4})
    assert total() == "3.00"
    assert credits_service.call("get_declaration", second, teacher)["assessment"]["amount"] == "0.00"
    credits_service.call("void_declaration", {**first, "reason": "重复申报"}, DEPARTMENT)
    assert total() == "2.00"
    entries = credits_service.call("list_ledger", {}, teacher)["items"]
    assert [entry["amount"] for entry in entries] == ["2.00", "-3.00", "3.00"]
    credits_service.call("void_declaration", {**second, "reason": "重复申报"}, DEPARTMENT)
    assert total() == "0.00"


def test_a_shared_cap_is_shared_anew_by_whole_entries(credits_service, teacher, approve, total):
    first = approve(teacher, {"item": "GXS.7", "count": 2})
    approve(teacher, {"item": "GXS.7", "count": 2})
    credits_service.call("void_declaration", {**first, "reason": "有误"}, DEPARTMENT)
    assert total() == "2.00"
    entries = credits_service.call("list_ledger", {}, teacher)["items"]
    assert sorted(entry["amount"] for entry in entries) == ["-1.00", "-2.00", "1.00", "2.00", "2.00"]


def test_a_returned_activity_may_be_changed_and_earns_once(credits_service, teacher, ready, total):
    made = ready(teacher, {"item": "GXS.7", "count": 3})
    credits_service.call("return_declaration", {**made, "reason": "应为一节"}, DEPARTMENT)
    credits_service.call("edit_declaration", {**TEXT, **made, "item": {"item": "GXS.7", "count": 1}}, teacher)
    credits_service.call("submit_declaration", made, teacher)
    credits_service.call("pass_declaration", made, SCHOOL)
    credits_service.call("approve_declaration", made, DEPARTMENT)
    assert total() == "1.00"
    rounds = credits_service.call("get_declaration", made, teacher)["rounds"]
    assert [each["content"]["item"]["count"] for each in rounds] == ["3", "1"]


@pytest.mark.parametrize(
    ("item", "change", "code", "field"),
    [
        ({"item": "GXS.99", "count": 1}, {}, "credits.item_unknown", "item.item"),
        ({"item": "GXS.7"}, {}, "credits.item_unknown", "item.item"),
        ({"item": "GXS.7", "half_days": 1}, {}, "credits.item_unknown", "item.item"),
        ({"item": "GXS.3", "level": "moon"}, {"kind": "RESEARCH"}, "credits.item_unknown", "item.level"),
        ({"item": "GXS.7", "count": 0}, {}, "credits.item_too_little", "item"),
        ({"item": "GXS.1", "hours": 3}, {}, "credits.item_too_little", "item"),
        ({"item": "GXS.3", "level": "city"}, {}, "credits.item_kind", "kind"),
        ({"item": "GXS.7", "count": 1}, {"kind": "PROBATION"}, "credits.item_kind", "kind"),
        ({"item": "GXS.7", "count": 1}, {"hours": "3"}, "shared.invalid", "hours"),
        ({"item": "GXS.7", "count": "1"}, {}, "shared.invalid", "item.count"),
        ({"item": "GXS.7", "count": -1}, {}, "shared.invalid", "item.count"),
        ({"item": "GXS.7", "count": 1.5}, {}, "shared.invalid", "item.count"),
        ({"item": "GXS.7", "count": 1, "moons": 1}, {}, "shared.invalid", "item.moons"),
        (None, {}, "shared.invalid", "hours"),
        (None, {"kind": "RESEARCH", "hours": "30"}, "credits.item_needed", "item"),
    ],
)
def test_what_the_table_does_not_know_is_refused_at_its_place(teacher, create, item, change, code, field):
    with pytest.raises(InvalidInput) as refused:
        create(teacher, item, **change)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_kinds_without_a_table_are_declared_in_hours(teacher, create):
    assert create(teacher, None, kind="DEGREE", hours="90")["state"] == "DRAFT"


def test_where_there_is_no_table_an_activity_is_refused_and_after_a_move_it_is_returned(
    credits_service, recognition, teacher, create, ready
):
    made = ready(teacher, {"item": "GXS.7", "count": 1})
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, "CN/440000/440100/440103/s1", 2))
    elsewhere = person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440103"))
    with pytest.raises(InvalidInput, match="item_no_table"):
        create(teacher, {"item": "GXS.7", "count": 1})
    with pytest.raises(Conflict, match="item_table_gone"):
        credits_service.call("approve_declaration", made, elsewhere)
    assert credits_service.call("get_declaration", made, elsewhere)["assessment"] is None
