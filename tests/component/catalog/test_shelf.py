"""The shelf: what is found by which filter, in which order, by whom; counting, rating, recommending."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog.shelf.actions import counting
from services.identity.contract import PROFILE_CHANGED
from services.learning.contract.selection import CHOICE_CHANGED
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.catalog.conftest import CITY, Ground
from tests.conftest import person

LEFTOVERS = f"{CITY}"


class Town:
    """A city of the test's own, with a district, so that other tests' periods are not on its shelves."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.city = f"CN/440000/{new_id().hex[-6:]}"
        self.district, self.other = f"{self.city}/000001", f"{self.city}/000002"
        self.unit = ground.unit(f"{self.city}/college")
        self.period = ground.plan(self.city)

    def offer(self, period: dict[str, Any] | None = None, audience: dict[str, Any] | None = None, **changes: Any):
        period = period or self.period
        units = {"applicant_unit_id": self.unit["unit_id"], "charging_unit_id": self.unit["unit_id"]}
        course = self.ground.course(period["place"], **{**units, **changes})
        [offering] = self.ground.offer(period, course, **({"audience": audience} if audience else {}))
        return offering

    def publish(self, period: dict[str, Any] | None = None) -> None:
        period = period or self.period
        self.ground.publish(self.ground.present(period))

    def teacher(self, place: str = "") -> Actor:
        return dataclasses.replace(person(), place=place or f"{self.district}/s{uuid.uuid4().hex}")

    def list(self, actor: Actor = ANONYMOUS, **asked: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.ground.call(
                "list_offerings", {"place": self.district, "limit": 2, "cursor": cursor, **asked}, actor
            )
            assert len(page["items"]) <= 2
            items += page["items"]
            if (cursor := page["next_cursor"]) is None:
                return items

    def titles(self, actor: Actor = ANONYMOUS, **asked: Any) -> list[str]:
        return [item["title"] for item in self.list(actor, **asked)]

    def teaches(self, actor: Actor, subject: str, segment: str = "PRIMARY", version: int = 1) -> None:
        payload = {
            "account_id": str(actor.account_id), "version": version, "complete": True, "segment": segment,
            "subject": subject,
        }  # fmt: skip
        self.ground.component.deliver("on_profile_changed", PROFILE_CHANGED, payload)

    def choice(self, actor: Actor, offering: dict[str, Any], state: str = "CHOSEN", version: int = 1, key: str = ""):
        return {
            "choice_id": key or str(new_id()), "version": version, "teacher_id": str(actor.account_id),
            "school_id": str(new_id()), "place": actor.place, "offering_id": offering["offering_id"],
            "period_id": offering["period_id"], "state": state, "chosen_by": "SELF",
            "at": clock.format_instant(clock.now()),
        }  # fmt: skip

    def tell(self, *choices: dict[str, Any]) -> None:
        self.ground.component.deliver_batch(
            "record_choices", [(CHOICE_CHANGED, choice) for choice in choices], events=True
        )

    def shown(self, offering: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.ground.call("get_offering", {"offering_id": offering["offering_id"]}, ANONYMOUS)
        return shown


@pytest.fixture
def town(ground: Ground) -> Town:
    return Town(ground)


def test_only_published_periods_are_on_the_shelf(town: Town) -> None:
    offering = town.offer()
    assert town.titles() == []
    with pytest.raises(NotFound):
        town.shown(offering)
    town.publish()
    assert town.titles() == ["小学语文阅读教学"]
    shown = town.shown(offering)
    assert shown["period"]["state"] == "PUBLISHED"
    assert (shown["chosen"], shown["ratings"], shown["average_stars"]) == (0, 0, None)
    town.ground.at("2026-03-16T00:00:00+08:00")
    town.ground.tick()
    assert town.titles() == [], "selection is over"
    assert town.titles(period_id=town.period["period_id"]) == ["小学语文阅读教学"], "and can still be looked up"


def test_each_filter_narrows_the_list(town: Town) -> None:
    town.offer(title="甲", hour_type="PUBLIC", hours="6", subjects=[], segments=[], terminals=["MOBILE"])
    town.offer(title="乙", hours="18", subjects=["语文"], segments=["PRIMARY"], series="微课一")
    town.offer(title="丙", hours="30.5", subjects=["数学"], segments=["HIGH"], course_type="FACE_TO_FACE")
    town.offer(title="丁", hours="50", subjects=["语文"], capability_class="ELECTIVE", terminals=[])
    town.publish()
    for asked, found in (
        ({}, ["丁", "丙", "乙", "甲"]),
        ({"hour_type": "PUBLIC"}, ["甲"]),
        ({"hours_from": "18", "hours_to": "30.5"}, ["丙", "乙"]),
        ({"subject": "语文"}, ["丁", "乙", "甲"]),
        ({"segment": "HIGH"}, ["丙", "甲"]),
        ({"terminal": "MOBILE"}, ["丙", "乙", "甲"]),
        ({"course_type": "FACE_TO_FACE"}, ["丙"]),
        ({"series": "微课一"}, ["乙"]),
        ({"capability": True}, ["丁"]),
        ({"capability": False, "subject": "语文"}, ["乙", "甲"]),
        ({"tier": "DISTRICT"}, []),
    ):
        assert town.titles(**asked) == found, asked
    series = town.ground.call("list_series", {"place": town.city}, ANONYMOUS)["items"]
    assert series == [{"series": "微课一", "courses": 1, "hours": "18.00"}]


def test_search_finds_any_part_of_title_lecturer_and_number(town: Town) -> None:
    town.offer(title="小学语文阅读教学", lecturer="李明华", course_no="ZY-2026-001")
    town.offer(title="阅读与写作教学", lecturer="王芳", course_no="ZY-2026-002")
    town.offer(title="Classroom English", lecturer="Mary Smith", course_no="EN-7")
    town.publish()
    for q, found in (
        ("阅读教学", ["小学语文阅读教学"]),  # of the other the pairs stand apart
        ("阅读", ["阅读与写作教学", "小学语文阅读教学"]),
        ("学", ["阅读与写作教学", "小学语文阅读教学"]),
        ("李明", ["小学语文阅读教学"]),
        ("2026-002", ["阅读与写作教学"]),
        ("english", ["Classroom English"]),
        ("MARY s", ["Classroom English"]),
        ("  王芳 ", ["阅读与写作教学"]),
        ("%", []),
        ("没有的课", []),
    ):
        assert town.titles(q=q) == found, q


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"order": "PEERS"}, "subject"),
        ({"hours_from": "9", "hours_to": "8"}, "hours_to"),
        ({"order": "BEST"}, "order"),
        ({"segment": "大学"}, "segment"),
        ({"q": "长" * 61}, "q"),
        ({"cursor": ["x", "y"]}, "cursor"),
        ({"cursor": ["0"]}, "cursor"),
        ({"place": "广州"}, "place"),
    ],
)
def test_nonsense_is_refused_by_name(town: Town, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        town.ground.call("list_offerings", {"place": town.city, **asked}, ANONYMOUS)
    assert refused.value.field == field


def test_a_districts_courses_are_shown_there_only(town: Town) -> None:
    own = town.ground.plan(town.district)
    districts = town.offer(own, title="区级课程")
    town.offer(title="市级课程")
    town.publish()
    town.publish(own)
    inside, outside = town.teacher(), town.teacher(f"{town.other}/s1")
    assert town.titles(inside) == ["市级课程", "区级课程"]
    keeper = person(None, (Role.DISTRICT_INSTITUTION, town.district))
    assert town.titles(keeper) == ["市级课程", "区级课程"]
    assert town.titles(inside, tier="DISTRICT") == ["区级课程"]
    for actor in (ANONYMOUS, person(), outside, person(None, (Role.DISTRICT_INSTITUTION, town.other))):
        assert town.titles(actor) == ["市级课程"]
        assert town.titles(actor, period_id=own["period_id"]) == []
        with pytest.raises(NotFound):
            town.ground.call("get_offering", {"offering_id": districts["offering_id"]}, actor)
    assert town.ground.call("get_offering", {"offering_id": districts["offering_id"]}, inside)["title"] == "区级课程"


def test_choices_are_counted_once_whatever_the_order(town: Town) -> None:
    offering = town.offer()
    town.publish()
    one, two = town.teacher(), town.teacher()
    town.teaches(one, "语文")
    town.teaches(two, "数学")
    first = town.choice(one, offering)
    town.tell(first, town.choice(two, offering))
    town.tell(first)
    assert town.shown(offering)["chosen"] == 2
    again = {**first, "version": 3, "state": "ADMITTED"}
    town.tell(again, {**first, "version": 2, "state": "CANCELLED"})
    town.tell({**first, "version": 2, "state": "CANCELLED"})  # late
    assert town.shown(offering)["chosen"] == 2
    assert len(town.list(order="PEERS", subject="语文")) == 1
    town.tell({**first, "version": 4, "state": "VOID"})
    assert town.shown(offering)["chosen"] == 1
    assert town.list(order="PEERS", subject="语文") == []
    assert len(town.list(order="PEERS", subject="数学")) == 1


def test_what_was_counted_twice_is_counted_again(town: Town) -> None:
    """As after the projection of choices was lost and filled anew."""
    offering = town.offer()
    town.publish()
    teacher = town.teacher()
    town.teaches(teacher, "语文")
    choice = town.choice(teacher, offering)
    town.tell(choice)
    with town.ground.component.database.work() as db:
        db.execute(sa.text("DELETE FROM choice WHERE choice_id = :id"), {"id": uuid.UUID(choice["choice_id"])})
    town.tell(choice)
    assert town.shown(offering)["chosen"] == 2, "the harm"
    town.ground.component.service.recount_choices(clock.now())
    assert town.shown(offering)["chosen"] == 1
    with town.ground.component.database.work() as db:
        assert counting.recount(db) == 0
    town.tell({**choice, "version": 2, "state": "VOID"})
    assert town.list(order="PEERS", subject="语文") == []


def test_lists_are_ordered_by_what_others_did(town: Town) -> None:
    offerings = {name: town.offer(title=name, subjects=[]) for name in ("甲", "乙", "丙", "丁")}
    town.publish()
    for name, chinese, maths in (("甲", 1, 4), ("乙", 3, 0), ("丙", 2, 0)):
        for subject, number in (("语文", chinese), ("数学", maths)):
            for _ in range(number):
                teacher = town.teacher()
                town.teaches(teacher, subject)
                town.tell(town.choice(teacher, offerings[name], "PASSED"))
    assert town.titles(order="POPULAR") == ["甲", "乙", "丙", "丁"]
    assert town.titles(order="PEERS", subject="语文") == ["乙", "丙", "甲"]
    assert town.titles(order="NEWEST") == ["丁", "丙", "乙", "甲"]
    for name, stars in (("丙", (5, 5)), ("乙", (5, 1, 1)), ("甲", (5,))):
        for each in stars:
            rater = town.teacher()
            town.tell(town.choice(rater, offerings[name], "PASSED"))
            town.ground.call("rate_offering", {"offering_id": offerings[name]["offering_id"], "stars": each}, rater)
    assert town.titles(order="RATED") == ["丙", "甲", "丁", "乙"]
    assert town.shown(offerings["乙"])["average_stars"] == "2.3"


def test_one_rating_by_each_who_passed(town: Town) -> None:
    offering = town.offer()
    town.publish()
    teacher = town.teacher()
    rate = {"offering_id": offering["offering_id"], "stars": 5}
    key = str(new_id())
    for version, state in enumerate(("CHOSEN", "BILLED", "ADMITTED", "FAILED", "UNPAID", "VOID"), 1):
        town.tell(town.choice(teacher, offering, state, version, key))
        with pytest.raises(NotAllowed, match=r"catalog\.not_passed"):
            town.ground.call("rate_offering", rate, teacher)
    own = {"offering_id": offering["offering_id"]}
    assert town.ground.call("get_own_rating", own, teacher) == {**own, "stars": None, "may_rate": False}
    town.tell(town.choice(teacher, offering, "PASSED", 9, key))
    assert town.ground.call("rate_offering", rate, teacher)["ratings"] == 1
    assert town.ground.call("rate_offering", {**rate, "stars": 2}, teacher) == {
        **own, "course_id": offering["course_id"], "stars": 2, "ratings": 1, "average_stars": "2.0",
    }  # fmt: skip
    assert town.ground.call("get_own_rating", own, teacher) == {**own, "stars": 2, "may_rate": True}
    for stars in (0, 6, "5"):
        with pytest.raises(InvalidInput):
            town.ground.call("rate_offering", {**own, "stars": stars}, teacher)
    with pytest.raises(NotAllowed):
        town.ground.call("rate_offering", rate, ANONYMOUS)
    with pytest.raises(NotFound):
        town.ground.call("rate_offering", {**rate, "offering_id": str(new_id())}, teacher)


def test_stars_go_with_the_course_into_its_next_period(town: Town) -> None:
    offering = town.offer()
    town.publish()
    teacher = town.teacher()
    town.tell(town.choice(teacher, offering, "PASSED"))
    town.ground.call("rate_offering", {"offering_id": offering["offering_id"], "stars": 4}, teacher)
    later = town.ground.plan(town.city)
    [again] = town.ground.offer(later, {"course_id": offering["course_id"]})
    town.publish(later)
    assert town.shown(again)["average_stars"] == "4.0"
    other = town.teacher()
    town.tell(town.choice(other, again, "PASSED"))
    town.ground.call("rate_offering", {"offering_id": again["offering_id"], "stars": 5}, other)
    assert town.shown(offering)["average_stars"] == town.shown(again)["average_stars"] == "4.5"


def test_a_withdrawn_offering_leaves_the_shelf(town: Town) -> None:
    offering = town.offer()
    town.offer(title="另一门")
    town.publish()
    away = {"offering_id": offering["offering_id"], "version": 1, "reason": "讲师生病"}
    town.ground.call("withdraw_offering", away, town.ground.keeper(town.city))
    assert town.titles() == ["另一门"]
    assert town.shown(offering)["state"] == "WITHDRAWN"


def test_a_teacher_is_recommended_what_she_lacks_and_teaches(town: Town) -> None:
    public = town.offer(title="公需课", hour_type="PUBLIC", subjects=[], segments=[])
    chinese = town.offer(title="语文课", subjects=["语文"], segments=["PRIMARY"])
    town.offer(title="数学课", subjects=["数学"])
    town.offer(title="别校的课", subjects=["语文"], audience={"place_ids": [town.other]})
    town.publish()
    teacher = town.teacher()
    gaps = [{"hour_type": "PUBLIC", "hours": "18"}, {"hour_type": "PROFESSIONAL", "hours": "0"}]
    town.teaches(teacher, "语文")

    def shelf(**asked: Any) -> list[tuple[str, list[str]]]:
        items = town.ground.call("recommend_offerings", asked, teacher)["items"]
        return [(item["offering"]["title"], item["reasons"]) for item in items]

    assert shelf(gaps=gaps) == [("公需课", ["HOURS_MISSING"]), ("语文课", ["SUBJECT", "SEGMENT"])]
    town.tell(town.choice(teacher, public), town.choice(town.teacher(), chinese))
    assert shelf(gaps=gaps) == [("语文课", ["SUBJECT", "SEGMENT", "POPULAR"])]
    town.teaches(teacher, "数学", version=2)
    assert [title for title, _ in shelf()] == ["数学课"]
    teacher = dataclasses.replace(teacher, place="")
    assert shelf() == [], "nothing is offered to who stands nowhere"
