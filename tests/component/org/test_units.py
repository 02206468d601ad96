"""The lists of units that administrators look into: filters, pages, counts, only the own territory."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from services.org.contract.units import SCHOOL_CHANGED
from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from tests.component.org.conftest import CLI, HAIZHU, Org
from tests.component.org.test_school_editing import code_of, edit
from tests.component.org.test_school_lifecycle import act

pytestmark = pytest.mark.postgres

BAIYUN = "CN/440000/440100/440111"


def baiyun(org: Org) -> Any:
    return org.person(None, (Role.COUNTY_ADMIN, BAIYUN))


def listed(org: Org, actor: Any = None, **filters: Any) -> list[str]:
    arguments = {"division": "440111", "limit": 200, **filters}
    return [item["school_id"] for item in org.call("list_units", arguments, actor or baiyun(org))["items"]]


def test_administrators_find_every_state_kind_and_code(org: Org) -> None:
    old = code_of()
    school = org.school("440111", code=old)
    office = org.school("440111", kind="RESEARCH_OFFICE", school_type="OTHER", nature="PRIVATE")
    closed, suspended = org.school("440111"), org.school("440111")
    act(org, "close_school", closed, baiyun(org))
    act(org, "suspend_school", suspended, baiyun(org))
    ids = [each["school_id"] for each in (school, office, closed, suspended)]
    assert set(ids) <= set(listed(org))
    assert listed(org, kind="RESEARCH_OFFICE") == [office["school_id"]]
    assert listed(org, nature="PRIVATE", school_type="OTHER") == [office["school_id"]]
    assert listed(org, state="CLOSED") == [closed["school_id"]]
    assert listed(org, state="SUSPENDED") == [suspended["school_id"]]
    assert listed(org, attachment="CITY_DIRECT") == []
    assert listed(org, q=school["name"][2:]) == [school["school_id"]]
    assert listed(org, code=old) == [school["school_id"]]
    # By a code that it lost, too.
    edit(org, school, baiyun(org), school_type="NINE_YEAR", code=None)
    assert listed(org, code=old) == [school["school_id"]]
    counts = org.call("count_units", {"division": "440111"}, baiyun(org))
    assert counts["by_state"]["CLOSED"] == counts["by_state"]["SUSPENDED"] == 1
    assert counts["by_kind"]["RESEARCH_OFFICE"] == 1
    assert counts["living"] == counts["by_attachment"]["COUNTY"] == len(listed(org)) - 1


def test_a_page_leads_to_the_next_without_gaps(org: Org) -> None:
    for _ in range(5):
        org.school("440111")
    every, seen, cursor = listed(org), [], None
    while True:
        page = org.call("list_units", {"division": "440111", "limit": 2, "cursor": cursor}, baiyun(org))
        seen += [item["school_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == every


def test_everybody_stays_in_the_own_territory(org: Org) -> None:
    outsider = org.person(None, (Role.COUNTY_ADMIN, HAIZHU))
    for method in ("list_units", "count_units"):
        for division in ("440111", "440100", "CN"):
            with pytest.raises(NotFound, match=r"org\.division_unknown"):
                org.call(method, {"division": division}, outsider)
        for role in (Role.SCHOOL_ADMIN, Role.AUDITOR, Role.SUPPORT_AGENT):
            with pytest.raises(NotAllowed):
                org.call(method, {"division": "440111"}, org.person(None, (role, BAIYUN)))
        org.call(method, {"division": "440111"}, org.person(None, (Role.DISTRICT_INSTITUTION, BAIYUN)))
    school = org.school("440111")
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call("get_school_history", {"school_id": school["school_id"]}, outsider)


@pytest.mark.parametrize(
    "filters", [{"state": "OPEN"}, {"kind": "X"}, {"code": "1"}, {"q": ""}, {"limit": 0}, {"division": "4401"}]
)
def test_a_bad_filter_is_refused_by_name(org: Org, filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        listed(org, **filters)
    assert refused.value.field in filters


def test_schools_are_told_to_whoever_rebuilds_them(org: Org) -> None:
    school = org.school("440111", code=code_of())
    renamed = edit(org, school, baiyun(org), name=f"改名{uuid.uuid4().hex[:8]}")
    after, told = None, {}
    while True:
        page = org.call("read_snapshot", {"type": SCHOOL_CHANGED, "after": after}, CLI)["items"]
        if not page:
            break
        told.update({item["payload"]["school_id"]: item["payload"] for item in page})
        after = page[-1]["key"]
    assert told[school["school_id"]] == org.announced(SCHOOL_CHANGED, school_id=school["school_id"])[-1]
    assert told[school["school_id"]]["name"] == renamed["name"]
