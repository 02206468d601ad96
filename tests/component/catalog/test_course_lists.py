"""A course list by the hundred: preview, each row's own outcome, the same list twice, and periods that offer it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.catalog.bulk.service import CatalogBulkService
from services.catalog.contract.bulk import COURSE_COLUMNS
from services.org.contract import GRANTS_CHANGED
from services.shared.actor import Actor, Role
from services.shared.errors import NotAllowed
from services.shared.ids import new_id
from services.shared.spreadsheet import write_sheet
from tests.component.catalog.conftest import Ground
from tests.component.catalog.test_shelf import Town
from tests.component.org.bulk.conftest import Jobs
from tests.conftest import Component, person

ROW = {
    "course_no": "ZY001",
    "title": "教育心理学",
    "lecturer": "李明",
    "hour_type": "专业科目",
    "course_type": "远程",
    "hours": "18",
    "fee": "90",
    "subjects": "语文、数学",
    "segments": "小学、初中",
    "terminals": "电脑、手机",
}


class Lists(Town):
    """A city of the test's own, its centre, and the process that runs its jobs."""

    def __init__(self, ground: Ground, component: Component) -> None:
        super().__init__(ground)
        self.name = f"学院{new_id().hex[-8:]}"
        self.college = ground.unit(f"{self.city}/named", self.name)
        self.keeper = person(None, (Role.CITY_CENTRE, self.city))
        self.jobs = Jobs(None, component)  # type: ignore[arg-type]
        self.tell_grants(self.keeper, [["CITY_CENTRE", self.city]], 1)

    def tell_grants(self, actor: Actor, grants: list[list[str]], version: int) -> None:
        payload = {"account_id": str(actor.account_id), "version": version, "grants": grants}
        self.ground.component.deliver("on_grants_changed", GRANTS_CHANGED, payload)

    def row(self, **changes: str) -> dict[str, str]:
        return {**ROW, "applicant": self.name, "charging": self.name, **changes}

    def file(self, *rows: dict[str, str]) -> bytes:
        buffer = io.BytesIO()
        cells = [[row.get(column.key, "") for column in COURSE_COLUMNS] for row in rows]
        write_sheet(buffer, [column.title for column in COURSE_COLUMNS], cells)
        return buffer.getvalue()

    def outcomes(self, *rows: dict[str, str]) -> list[tuple[str, str, str]]:
        job_id = self.jobs.upload(self.keeper, "import_courses", self.file(*rows))
        self.jobs.run()
        assert self.jobs.get(job_id, self.keeper)["state"] == "READY"
        self.jobs.call("start_job", {"job_id": job_id}, self.keeper)
        self.jobs.run()
        assert self.jobs.get(job_id, self.keeper)["state"] == "DONE"
        return [(row["outcome"], row["code"], row["field"]) for row in self.jobs.rows(job_id, self.keeper)]

    def courses(self) -> dict[str, dict[str, Any]]:
        items = self.ground.call("list_courses", {"place": self.city, "limit": 200}, self.keeper)["items"]
        return {item["course_no"]: item for item in items}


@pytest.fixture
def lists(ground: Ground, component: Callable[..., Component]) -> Lists:
    return Lists(ground, component(CatalogBulkService))


def test_a_list_enters_courses_and_the_same_list_changes_nothing(lists: Lists) -> None:
    rows = [lists.row(), lists.row(course_no="ZY002", title="班级管理", segments="", subjects="")]
    assert lists.outcomes(*rows) == [("CREATED", "", "")] * 2
    course = lists.courses()["ZY001"]
    assert (course["subjects"], course["segments"]) == (["语文", "数学"], ["PRIMARY", "MIDDLE"])
    assert (course["hours"], course["fee"], course["terminals"]) == ("18.00", "90.00", ["COMPUTER", "MOBILE"])
    assert course["charging_unit_id"] == lists.college["unit_id"]
    assert lists.outcomes(*rows) == [("UNCHANGED", "", "")] * 2
    assert lists.outcomes(rows[0], {**rows[1], "fee": "120"}) == [("UNCHANGED", "", ""), ("CHANGED", "", "")]
    assert lists.courses()["ZY002"]["version"] == 2


def test_a_list_may_offer_its_courses_in_a_period(lists: Lists) -> None:
    rows = [lists.row(period=lists.period["code"], capacity="500"), lists.row(course_no="ZY002")]
    assert lists.outcomes(*rows) == [("CREATED", "", "")] * 2
    key = {"period_id": lists.period["period_id"]}
    [offering] = lists.ground.call("list_kept_offerings", key, lists.keeper)["items"]
    assert (offering["course_no"], offering["capacity"]) == ("ZY001", 500)
    assert lists.outcomes(rows[0])[0][0] == "UNCHANGED"
    # A price that changes while the period is planned is the price of what it offers.
    assert lists.outcomes({**rows[0], "fee": "99"})[0][0] == "CHANGED"
    [offering] = lists.ground.call("list_kept_offerings", key, lists.keeper)["items"]
    assert offering["fee"] == "99.00"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"hours": "十八"}, "shared.value_malformed", "hours"),
        ({"hours": "1.234"}, "shared.value_malformed", "hours"),
        ({"fee": "-1"}, "shared.value_malformed", "fee"),
        ({"course_no": "有 空格"}, "shared.value_malformed", "course_no"),
        ({"hour_type": "必修"}, "shared.value_unknown", "hour_type"),
        ({"segments": "小学、大学"}, "shared.value_unknown", "segments"),
        ({"terminals": "电视"}, "shared.value_unknown", "terminals"),
        ({"capacity": "0"}, "shared.value_malformed", "capacity"),
        ({"capacity": "很多"}, "shared.value_malformed", "capacity"),
        ({"title": ""}, "shared.value_missing", "title"),
        ({"applicant": "没有的单位"}, "catalog.unit_unknown", "applicant"),
        ({"period": "2026-0"}, "catalog.period_unknown", "period"),
    ],
)
def test_a_bad_row_is_refused_by_column_and_spoils_no_other(
    lists: Lists, changes: dict[str, str], code: str, field: str
) -> None:
    bad, good = lists.row(course_no="BAD1") | changes, lists.row(course_no="GOOD1")
    job_id = lists.jobs.upload(lists.keeper, "import_courses", lists.file(bad, good))
    lists.jobs.run()
    preview = lists.jobs.rows(job_id, lists.keeper)
    assert [(row["code"], row["field"]) for row in preview if row["code"]] == [(code, field)], "told before it starts"
    assert lists.courses() == {}
    lists.jobs.call("start_job", {"job_id": job_id}, lists.keeper)
    lists.jobs.run()
    assert list(lists.courses()) == ["GOOD1"]


def test_a_number_twice_in_a_file_is_entered_once(lists: Lists) -> None:
    assert lists.outcomes(lists.row(), lists.row(title="另一门"))[1][:2] == ("REFUSED", "shared.duplicate_row")
    assert lists.courses()["ZY001"]["title"] == "教育心理学"


def test_units_of_one_name_are_not_guessed(lists: Lists) -> None:
    lists.ground.unit(f"{lists.city}/twin", lists.name)
    assert lists.outcomes(lists.row()) == [("REFUSED", "catalog.unit_ambiguous", "applicant")]


def test_who_keeps_courses_in_two_places_enters_them_one_by_one(lists: Lists) -> None:
    lists.tell_grants(lists.keeper, [["CITY_CENTRE", lists.city], ["DISTRICT_INSTITUTION", lists.district]], 2)
    assert lists.outcomes(lists.row())[0][:2] == ("REFUSED", "catalog.home_ambiguous")


def test_a_list_stops_when_its_owner_keeps_courses_no_more(lists: Lists) -> None:
    job_id = lists.jobs.upload(lists.keeper, "import_courses", lists.file(lists.row()))
    lists.jobs.run()
    lists.jobs.call("start_job", {"job_id": job_id}, lists.keeper)
    lists.tell_grants(lists.keeper, [], 2)
    lists.jobs.run()
    assert lists.jobs.get(job_id, lists.keeper)["state"] == "STOPPED"
    assert lists.courses() == {}


def test_who_keeps_no_courses_imports_none(lists: Lists) -> None:
    for actor in (person(uuid.uuid4()), person(None, (Role.COUNTY_ADMIN, lists.district))):
        with pytest.raises(NotAllowed):
            lists.jobs.upload(actor, "import_courses", lists.file(lists.row()))
