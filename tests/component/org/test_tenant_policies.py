"""Tenant policies: what a province, city or county decides for itself and all below."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from services.org.contract.units import TENANT_POLICY_CHANGED
from services.org.units import queries
from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.tables import audit
from tests.component.org.conftest import CLI, Org

pytestmark = pytest.mark.postgres

# A province that no other test uses: a policy holds for everything below it.
PROVINCE, CITY, COUNTY = "CN/450000", "CN/450000/450100", "CN/450000/450100/450102"


def policy(place: str, **changes: Any) -> dict[str, Any]:
    return {
        "place": place,
        "mode": "GATED",
        "max_school_admins": 3,
        "profile_review": "REQUIRED",
        "reason": "省厅文件",
        **changes,
    }


@pytest.fixture
def gated(org: Org) -> Org:
    """Guangxi decided; at the end nobody below it has."""
    org.call("set_tenant_policy", policy(PROVINCE), org.person(None, (Role.SUPER_ADMIN, PROVINCE)))
    yield org
    operator = org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    for place in (PROVINCE, CITY, COUNTY):
        try:
            org.call("withdraw_tenant_policy", {"place": place, "reason": "测试结束"}, operator)
        except NotFound:
            continue


def in_force(org: Org, place: str) -> tuple[str, int, str, str | None]:
    held = org.call("get_tenant_policy", {"place": place}, org.person())
    with org.component.database.work() as db:
        found = queries.tenant_policy(db, place)
    assert (found.mode, found.max_school_admins, found.profile_review) == (
        held["mode"],
        held["max_school_admins"],
        held["profile_review"],
    )
    return held["mode"], held["max_school_admins"], held["profile_review"], held["decided_at_place"]


def test_a_place_without_a_decision_is_open(org: Org) -> None:
    assert in_force(org, "CN/440000/440100/440104") == ("OPEN", 1, "NONE", None)


def test_the_nearest_decision_above_holds(gated: Org) -> None:
    school = gated.school("450102")
    assert in_force(gated, school["place"]) == ("GATED", 3, "REQUIRED", PROVINCE)
    county = gated.person(None, (Role.SUPER_ADMIN, COUNTY))
    gated.call("set_tenant_policy", policy(COUNTY, mode="OPEN", max_school_admins=2), county)
    assert in_force(gated, school["place"]) == ("OPEN", 2, "REQUIRED", COUNTY)
    assert in_force(gated, CITY) == ("GATED", 3, "REQUIRED", PROVINCE)
    gated.call("withdraw_tenant_policy", {"place": COUNTY, "reason": "随省"}, county)
    assert in_force(gated, school["place"]) == ("GATED", 3, "REQUIRED", PROVINCE)


def test_each_change_is_told_whole_with_the_next_version(gated: Org) -> None:
    city = gated.person(None, (Role.SUPER_ADMIN, CITY))
    earlier = len(gated.announced(TENANT_POLICY_CHANGED, place=CITY))
    gated.call("set_tenant_policy", policy(CITY), city)
    gated.call("set_tenant_policy", policy(CITY), city)  # the same again: nothing to tell
    gated.call("set_tenant_policy", policy(CITY, max_school_admins=20), city)
    gated.call("withdraw_tenant_policy", {"place": CITY, "reason": "随省"}, city)
    told = gated.announced(TENANT_POLICY_CHANGED, place=CITY)[earlier:]
    assert [(each["max_school_admins"], each["withdrawn"]) for each in told] == [(3, False), (20, False), (20, True)]
    versions = [each["version"] for each in told]
    assert versions == list(range(versions[0], versions[0] + 3))


def test_a_change_leaves_an_audit_row_with_both_sides(gated: Org) -> None:
    city = gated.person(None, (Role.SUPER_ADMIN, CITY))
    gated.call("set_tenant_policy", policy(CITY), city)
    gated.call("set_tenant_policy", policy(CITY, mode="OPEN"), city)
    with gated.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.actor == str(city.account_id)).order_by(audit.c.id)).all()
    assert [row.action for row in rows] == ["set_tenant_policy"] * 2
    assert (rows[1].before["mode"], rows[1].after["mode"], rows[1].reason) == ("GATED", "OPEN", "省厅文件")


def test_withdrawing_what_is_not_there_is_refused(org: Org) -> None:
    operator = org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    for _ in range(2):  # never decided, and still not after a look at it
        with pytest.raises(NotFound, match=r"org\.policy_unknown"):
            org.call("withdraw_tenant_policy", {"place": "CN/460000", "reason": "无"}, operator)


@pytest.mark.parametrize(
    ("role", "place", "error"),
    [
        (Role.SUPER_ADMIN, "CN/440000", NotFound),
        (Role.SUPER_ADMIN, COUNTY, NotFound),  # below does not decide for above
        (Role.PROVINCE_ADMIN, PROVINCE, NotAllowed),
        (Role.CITY_ADMIN, CITY, NotAllowed),
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s{'0' * 32}", NotAllowed),
        (Role.AUDITOR, "CN", NotAllowed),
    ],
)
def test_only_a_super_admin_there_or_above_decides(org: Org, role: Role, place: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        org.call("set_tenant_policy", policy(CITY), org.person(None, (role, place)))
    with pytest.raises(error):
        org.call("withdraw_tenant_policy", {"place": CITY, "reason": "试"}, org.person(None, (role, place)))


def test_neither_the_nation_nor_a_school_has_a_policy(org: Org) -> None:
    operator = org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    for place in ("CN", org.school()["place"]):
        with pytest.raises(InvalidInput, match=r"org\.policy_elsewhere"):
            org.call("set_tenant_policy", policy(place), operator)


@pytest.mark.parametrize("count", [0, 21, "3", 2.5, None])
def test_a_school_has_one_to_twenty_admins(org: Org, count: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call(
            "set_tenant_policy",
            policy(CITY, max_school_admins=count),
            org.person(None, (Role.SUPER_ADMIN, CITY)),
        )
    assert refused.value.field == "max_school_admins"


def test_the_policies_are_told_to_whoever_rebuilds_them(gated: Org) -> None:
    page = gated.call("read_snapshot", {"type": TENANT_POLICY_CHANGED}, CLI)["items"]
    told = {item["payload"]["place"]: item["payload"] for item in page}
    assert told[PROVINCE] == gated.announced(TENANT_POLICY_CHANGED, place=PROVINCE)[-1]
