"""Courses: who keeps them, what a change leaves behind, and what a period goes on offering."""

from __future__ import annotations

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.catalog.conftest import CITY, HAIZHU, SHENZHEN, YUEXIU, Ground
from tests.conftest import person


def change(ground: Ground, course, actor=None, **changes):
    skip = {"version", "place", "state", "applicant_name", "charging_name", "changed_at"}
    content = {name: value for name, value in course.items() if name not in skip}
    wanted = {**content, "version": course["version"], **changes}
    return ground.call("change_course", wanted, actor or ground.centre)


def test_a_course_is_kept_with_all_its_versions(ground: Ground) -> None:
    course = ground.course(title="教育心理学", fee="120.5")
    assert (course["version"], course["state"], course["fee"], course["hours"]) == (1, "OPEN", "120.50", "18.00")
    assert course["charging_name"] == "广州市广播电视大学"
    changed = change(ground, course, title="教育心理学（修订）")
    assert changed["version"] == 2
    assert change(ground, changed)["version"] == 2, "the same content is no change"
    versions = ground.call("list_course_versions", {"course_id": course["course_id"]}, ground.centre)["items"]
    assert [(each["version"], each["content"]["title"]) for each in versions] == [
        (2, "教育心理学（修订）"),
        (1, "教育心理学"),
    ]
    assert [row.action for row in ground.audited(course["course_id"])] == ["create_course", "change_course"]


def test_nobody_overwrites_what_he_has_not_seen(ground: Ground) -> None:
    course = ground.course()
    change(ground, course, title="另一个题目")
    with pytest.raises(Conflict, match=r"catalog\.course_version"):
        change(ground, course, title="第三个题目")


def test_a_number_is_used_once_at_a_place(ground: Ground) -> None:
    course = ground.course()
    with pytest.raises(Conflict, match=r"catalog\.course_no_taken"):
        ground.course(course_no=course["course_no"])
    assert ground.course(YUEXIU, course_no=course["course_no"])["course_id"] != course["course_id"]
    other = ground.course()
    with pytest.raises(Conflict, match=r"catalog\.course_no_taken"):
        change(ground, other, course_no=course["course_no"])


def test_who_keeps_courses_where(ground: Ground) -> None:
    college = person(None, (Role.TRAINING_INSTITUTION, ground.college["place"]))
    own = ground.course(ground.college["place"], college)
    assert change(ground, own, college, title="院内新课")["version"] == 2
    assert change(ground, {**own, "version": 2}, ground.centre, title="市里改的课")["version"] == 3, "below the city"
    with pytest.raises(NotFound):
        change(ground, {**own, "version": 3}, ground.district)
    with pytest.raises(NotFound):
        ground.course(CITY, college)
    with pytest.raises(NotAllowed, match=r"catalog\.keeper_elsewhere"):
        ground.course(YUEXIU, ground.centre)
    with pytest.raises(NotAllowed):
        ground.course(YUEXIU, person(None, (Role.COUNTY_ADMIN, YUEXIU)))
    with pytest.raises(NotAllowed):
        ground.course(YUEXIU, person())


def test_units_are_known_living_and_near(ground: Ground) -> None:
    closed = ground.unit(f"{CITY}/closed", state="CLOSED")
    far = ground.unit(f"{SHENZHEN}/far")
    neighbour = ground.unit(f"{HAIZHU}/near")
    for unit_id in ("00000000-0000-0000-0000-000000000000", closed["unit_id"], far["unit_id"]):
        with pytest.raises(InvalidInput) as refused:
            ground.course(charging_unit_id=unit_id)
        assert (refused.value.code, refused.value.field) == ("catalog.unit_unknown", "charging_unit_id")
    with pytest.raises(InvalidInput):
        ground.course(YUEXIU, applicant_unit_id=neighbour["unit_id"])
    assert ground.course(YUEXIU, charging_unit_id=ground.college["unit_id"]), "attached directly to its city"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hours", "0"),
        ("hours", "7.123"),
        ("hours", "NaN"),
        ("fee", "-1"),
        ("fee", "100000.01"),
        ("material_fee", "Infinity"),
        ("title", " "),
        ("title", "两\n行"),
        ("title", "长" * 121),
        ("course_no", "有 空格"),
        ("hour_type", "公需"),
        ("segments", ["PRIMARY", "PRIMARY"]),
        ("segments", ["大学"]),
        ("subjects", ["语文\u202e"]),
        ("terminals", ["TELEVISION"]),
        ("capability_class", "X"),
    ],
)
def test_nonsense_is_refused_by_name(ground: Ground, field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        ground.course(**{field: value})
    assert refused.value.field.split(".")[0] == field


def test_what_is_offered_cannot_be_withdrawn(ground: Ground) -> None:
    course = ground.course()
    period = ground.plan()
    [offering] = ground.offer(period, course)
    key = {"course_id": course["course_id"], "version": 1, "reason": "讲师生病"}
    with pytest.raises(Conflict, match=r"catalog\.course_offered"):
        ground.call("withdraw_course", key, ground.centre)
    away = {"offering_id": offering["offering_id"], "version": 1, "reason": "讲师生病"}
    ground.call("withdraw_offering", away, ground.centre)
    assert ground.call("withdraw_course", key, ground.centre)["state"] == "WITHDRAWN"
    with pytest.raises(Conflict, match=r"catalog\.course_withdrawn"):
        change(ground, {**course, "version": 2}, title="还想改")
    with pytest.raises(Conflict, match=r"catalog\.course_withdrawn"):
        ground.offer(ground.plan(), course)


def test_a_planned_period_follows_its_courses_and_a_published_one_does_not(ground: Ground) -> None:
    course = ground.course(fee="90")
    planned, published = ground.plan(), ground.plan()
    [follows], [stays] = ground.offer(planned, course), ground.offer(published, course)
    ground.publish(published)
    change(ground, course, fee="150")
    assert [each["fee"] for each in ground.told_offering(follows)] == ["90.00", "150.00"]
    assert [each["fee"] for each in ground.told_offering(stays)] == ["90.00"]


def test_a_unit_that_moves_takes_its_right_to_charge_along(ground: Ground) -> None:
    unit = ground.unit(f"{YUEXIU}/moves")
    [offering] = ground.offer(ground.plan(), ground.course(charging_unit_id=unit["unit_id"]))
    assert ground.told_offering(offering)[-1]["charging_place"] == unit["place"]
    ground.tell_unit(unit["unit_id"], f"{HAIZHU}/moved", version=2)
    ground.tell_unit(unit["unit_id"], unit["place"], version=1)  # late, and so ignored
    told = ground.told_offering(offering)
    assert [(each["version"], each["charging_place"]) for each in told] == [
        (1, unit["place"]),
        (2, f"{HAIZHU}/moved"),
    ]


def test_lists_go_page_by_page(ground: Ground) -> None:
    college = person(None, (Role.TRAINING_INSTITUTION, ground.college["place"]))
    made = [ground.course(ground.college["place"], college)["course_id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        asked = {"place": ground.college["place"], "limit": 2, "cursor": cursor}
        page = ground.call("list_courses", asked, college)
        seen += [item["course_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == made[::-1]
    with pytest.raises(NotFound):
        ground.call("list_courses", {"place": CITY}, college)
