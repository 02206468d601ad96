"""Amounts of another unit: listed, converted by an act on record, taken back with what they came from."""

from __future__ import annotations

import threading

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from tests.component.credits.conftest import membership
from tests.conftest import person

GUANGDONG = "CN/440000/440100/440103"
HERE = person(None, (Role.COUNTY_ADMIN, GUANGDONG))


@pytest.fixture
def county():
    return "CN/450000/450100/450103"


@pytest.fixture
def moved(recognition, teacher, earn):
    """A teacher who earned ten credits in Guangxi and is in Guangdong now; the source of her credits."""
    made = earn(teacher, "30")
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{GUANGDONG}/s1", 2))
    return teacher, f"declaration:{made['declaration_id']}"


@pytest.fixture
def act(credits_service):
    def call(method, teacher, source, actor=HERE, **more):
        arguments = {"teacher_id": str(teacher.account_id), "source_ref": source, "reason": "调入认定", **more}
        return credits_service.call(method, arguments, actor)

    return call


@pytest.fixture
def listed(credits_service):
    def ask(teacher, actor=None, year=2023):
        arguments = {"teacher_id": str(teacher.account_id), "year": year}
        return credits_service.call("list_conversions", arguments, actor or teacher)

    return ask


@pytest.fixture
def entries(credits_service):
    return lambda teacher: credits_service.call("list_ledger", {}, teacher)["items"]


def test_ten_credits_become_thirty_hours_by_the_rule_they_were_earned_under(
    moved, act, listed, entries, verification, credits_service
):
    teacher, source = moved
    [open_] = listed(teacher)["items"]
    assert (open_["state"], open_["amount"], open_["unit"]) == ("OPEN", "10.00", "CREDIT")
    would_be = {name: open_["converted"][name] for name in ("amount", "unit", "rule_id", "pack_id", "entry_id")}
    assert would_be == {
        "amount": "30.00",
        "unit": "HOUR",
        "rule_id": "GX.CONV",
        "pack_id": "guangxi-2016",
        "entry_id": None,
    }
    assert verification(teacher)["verification"]["total"] == "0.00"

    done = act("convert_amount", teacher, source, category="专业科目")
    assert (done["state"], done["converted"]["recogniser"]) == ("CONVERTED", "COUNTY")
    shown = verification(teacher)
    assert (shown["verification"]["total"], shown["verification"]["amounts"]["专业科目"]) == ("30.00", "30.00")
    assert shown["not_converted"] == []
    newest = entries(teacher)[0]
    assert (newest["amount"], newest["unit"], newest["source_kind"]) == ("30.00", "HOUR", "CONVERSION")
    explanation = newest["explanation"]
    assert (explanation["rule_id"], explanation["rule"]["zh"]) == ("GX.CONV", "3学时折合1学分")
    assert "10.00 -> 30.00, 10.00 credits at 3 hours a credit" in explanation["why"]
    assert "调入认定" in explanation["why"]


def test_hours_of_elsewhere_count_in_a_province_of_credits_only_when_converted(
    credits_service, recognition, at, county, act, listed, verification
):
    """Fifty hours of Guangdong: nothing in Guangxi until the act, 16.67 credits after it."""
    teacher = person()
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{GUANGDONG}/s1"))
    text = {
        "year": 2023,
        "kind": "DECLARATION",
        "title": "研讨会",
        "institution": "学会",
        "hours": "50",
        "started_on": "2023-10-01",
        "ended_on": "2023-10-03",
        "hour_type": "专业科目",
    }
    made = {"declaration_id": credits_service.call("create_declaration", text, teacher)["declaration_id"]}
    credits_service.call("submit_declaration", made, teacher)
    credits_service.call("pass_declaration", made, person(None, (Role.SCHOOL_ADMIN, f"{GUANGDONG}/s1")))
    credits_service.call("approve_declaration", made, HERE)
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{county}/s1", 2))
    assert verification(teacher)["verification"]["total"] == "0.00"
    assert [item["amount"] for item in verification(teacher)["not_converted"]] == ["50.00"]
    source, guangxi = f"declaration:{made['declaration_id']}", person(None, (Role.COUNTY_ADMIN, county))
    with pytest.raises(InvalidInput, match="category_unknown"):
        act("convert_amount", teacher, source, guangxi, category="专业科目")
    act("convert_amount", teacher, source, guangxi, category="集中培训")
    assert verification(teacher)["verification"]["total"] == "16.67"
    matrix = credits_service.call("get_credit_matrix", {"year": 2023}, teacher)
    [central] = [row for row in matrix["rows"] if row["category"] == "集中培训"]
    assert central["cycle"]["amount"] == "16.67"
    # Back in Guangdong the hours are there as ever, and their conversion means nothing.
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{GUANGDONG}/s1", 3))
    shown = verification(teacher)
    assert (shown["verification"]["total"], shown["not_converted"]) == ("50.00", [])
    assert listed(teacher)["items"] == []


def test_undone_it_is_listed_again_and_may_be_converted_again(moved, act, listed, entries, verification):
    teacher, source = moved
    act("convert_amount", teacher, source)
    undone = act("undo_conversion", teacher, source)
    assert (undone["state"], verification(teacher)["verification"]["total"]) == ("OPEN", "0.00")
    reversal, award = entries(teacher)[:2]
    assert (reversal["amount"], reversal["reversal_of"]) == ("-30.00", award["entry_id"])
    with pytest.raises(NotFound, match="amount_unknown"):
        act("undo_conversion", teacher, source)
    act("convert_amount", teacher, source)
    assert (verification(teacher)["verification"]["total"], len(entries(teacher))) == ("30.00", 4)


def test_converting_twice_or_by_eight_at_once_makes_one_entry(moved, act, entries):
    teacher, source = moved
    outcomes = []

    def convert():
        try:
            outcomes.append(act("convert_amount", teacher, source)["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=convert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["CONVERTED", *["credits.conversion_exists"] * 7]
    assert [entry["source_kind"] for entry in entries(teacher)] == ["CONVERSION", "DECLARATION"]


def test_what_is_taken_back_takes_its_conversion_along(credits_service, moved, act, entries, verification):
    teacher, source = moved
    act("convert_amount", teacher, source)
    voiding = {"declaration_id": source.removeprefix("declaration:"), "reason": "证明系伪造"}
    credits_service.call("void_declaration", voiding, HERE)
    assert verification(teacher)["verification"]["total"] == "0.00"
    assert verification(teacher)["not_converted"] == []
    sums = {}
    for entry in entries(teacher):
        sums[entry["unit"]] = sums.get(entry["unit"], 0) + float(entry["amount"])
    assert sums == {"CREDIT": 0.0, "HOUR": 0.0}


def test_a_frozen_year_takes_no_conversion(moved, act, freeze):
    teacher, source = moved
    freeze()
    with pytest.raises(Conflict, match="year_frozen"):
        act("convert_amount", teacher, source)


def test_a_department_below_the_level_that_recognised_it_converts_nothing(credits_service, recognition, at, act):
    """Who organises, recognises: what the region recognised is not for a county to weigh anew."""
    teacher = person()
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, "CN/450000/450100/450103/s1"))
    text = {
        "year": 2023,
        "kind": "DECLARATION",
        "title": "省级培训",
        "institution": "自治区教师培训中心",
        "hours": "30",
        "started_on": "2023-10-01",
        "ended_on": "2023-10-03",
    }
    made = {"declaration_id": credits_service.call("create_declaration", text, teacher)["declaration_id"]}
    credits_service.call("submit_declaration", made, teacher)
    school = person(None, (Role.SCHOOL_ADMIN, "CN/450000/450100/450103/s1"))
    credits_service.call("pass_declaration", made, school)
    credits_service.call("approve_declaration", made, person(None, (Role.PROVINCE_ADMIN, "CN/450000")))
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{GUANGDONG}/s1", 2))
    source = f"declaration:{made['declaration_id']}"
    with pytest.raises(NotAllowed, match="conversion_level"):
        act("convert_amount", teacher, source)
    done = act("convert_amount", teacher, source, person(None, (Role.PROVINCE_ADMIN, "CN/440000")))
    assert done["converted"]["recogniser"] == "PROVINCE"
    with pytest.raises(NotAllowed, match="conversion_level"):
        act("undo_conversion", teacher, source)


def test_strangers_and_oneself_convert_nothing(moved, act, listed):
    teacher, source = moved
    for stranger in (person(), person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440105"))):
        with pytest.raises((NotFound, NotAllowed)):
            act("convert_amount", teacher, source, stranger)
    with pytest.raises(NotFound, match="no_scheme"):
        listed(teacher, person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440105")))
    herself = person(teacher.account_id, (Role.COUNTY_ADMIN, GUANGDONG))
    with pytest.raises(NotAllowed, match="conversion_own"):
        act("convert_amount", teacher, source, herself)


@pytest.mark.parametrize(
    ("change", "refusal", "code"),
    [
        ({"source_ref": "declaration:none"}, NotFound, "amount_unknown"),
        ({"source_ref": ""}, InvalidInput, "shared"),
        ({"category": "校本研修"}, InvalidInput, "category_unknown"),
        ({"reason": ""}, InvalidInput, "shared"),
    ],
)
def test_bad_input_is_refused(moved, act, change, refusal, code):
    teacher, source = moved
    with pytest.raises(refusal, match=code):
        act("convert_amount", teacher, **{"source": source, **change} if "source_ref" not in change else
            {"source": change["source_ref"]})  # fmt: skip


def test_what_is_in_the_units_place_or_probation_needs_none(
    credits_service, teacher, earn, act, listed, county, recognition
):
    made = earn(teacher, "30")
    here = person(None, (Role.COUNTY_ADMIN, county))
    with pytest.raises(Conflict, match="conversion_not_needed"):
        act("convert_amount", teacher, f"declaration:{made['declaration_id']}", here)
    text = {
        "year": 2023,
        "kind": "PROBATION",
        "title": "试用期培训",
        "institution": "县教研室",
        "hours": "120",
        "started_on": "2023-09-01",
        "ended_on": "2023-10-03",
    }
    probation = {"declaration_id": credits_service.call("create_declaration", text, teacher)["declaration_id"]}
    credits_service.call("submit_declaration", probation, teacher)
    credits_service.call("pass_declaration", probation, person(None, (Role.SCHOOL_ADMIN, f"{county}/s1")))
    credits_service.call("approve_declaration", probation, here)
    with pytest.raises(Conflict, match="conversion_not_needed"):
        act("convert_amount", teacher, f"declaration:{probation['declaration_id']}", here)
    assert listed(teacher)["items"] == []
    shown = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert (shown["probation"]["met"], shown["verification"]["total"]) == (True, "10.00")
