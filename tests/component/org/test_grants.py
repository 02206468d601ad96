"""Granting, replacing, revoking and expiring roles, and what is announced of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import uuid
from typing import Any

import pytest

from services.org import contract
from services.shared import clock
from services.shared.actor import Actor, Grant, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from tests.component.org.conftest import CLI, GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres


def grant(
    org: Org, grantor: Actor, role: Role, place: str, account: uuid.UUID | None = None, **more: Any
) -> dict[str, Any]:
    return org.call(
        "grant_role", {"account_id": str(account or new_id()), "role": role, "place": place, **more}, grantor
    )


def announced(org: Org, account_id: str) -> list[tuple[int, list[list[str]]]]:
    events = org.announced(contract.GRANTS_CHANGED, account_id=account_id)
    return [(event["version"], event["grants"]) for event in events]


def test_a_county_grants_and_revokes_its_schools_admin(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    given = grant(org, county, Role.SCHOOL_ADMIN, school["place"])
    ended = org.call("revoke_grant", {"grant_id": given["grant_id"], "reason": "离任"}, county)
    assert (given["state"], ended["state"]) == ("ACTIVE", "REVOKED")
    assert announced(org, given["account_id"]) == [(1, [["SCHOOL_ADMIN", school["place"]]]), (2, [])]
    with pytest.raises(Conflict, match=r"org\.grant_ended"):
        org.call("revoke_grant", {"grant_id": given["grant_id"]}, county)


def test_the_snapshot_tells_a_holder_as_the_last_announcement_did(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    given = grant(org, county, Role.SCHOOL_ADMIN, school["place"])
    # Keys are in order: a page after the key just before this account's begins with this account.
    before = uuid.UUID(int=uuid.UUID(given["account_id"]).int - 1)
    question = {"type": contract.GRANTS_CHANGED, "after": [str(before)], "limit": 1}

    def told() -> tuple[int, list[list[str]]]:
        payload = org.call("read_snapshot", question, CLI)["items"][0]["payload"]
        return payload["version"], payload["grants"]

    assert told() == (1, [["SCHOOL_ADMIN", school["place"]]])
    org.call("revoke_grant", {"grant_id": given["grant_id"]}, county)
    assert told() == (2, [])


def test_the_announcement_lists_also_what_lies_outside_the_grantors_territory(org: Org) -> None:
    here, there = org.school("440104"), org.school("440105")
    account = new_id()
    grant(org, org.holder(Role.COUNTY_ADMIN, HAIZHU), Role.SCHOOL_ADMIN, there["place"], account)
    grant(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), Role.SCHOOL_ADMIN, here["place"], account)
    assert announced(org, str(account))[-1] == (
        2,
        sorted([["SCHOOL_ADMIN", here["place"]], ["SCHOOL_ADMIN", there["place"]]]),
    )


def test_super_admins_build_the_chain_downwards(org: Org) -> None:
    nation = org.holder(Role.NATIONAL_OPERATOR, "CN")
    province_id = new_id()
    grant(org, nation, Role.SUPER_ADMIN, GUANGDONG, province_id)
    province = org.person(province_id, (Role.SUPER_ADMIN, GUANGDONG))
    city_id = new_id()
    grant(org, province, Role.SUPER_ADMIN, GUANGZHOU, city_id)
    grant(org, province, Role.PROVINCE_ADMIN, GUANGDONG)
    city = org.person(city_id, (Role.SUPER_ADMIN, GUANGZHOU))
    grant(org, city, Role.SUPER_ADMIN, YUEXIU)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, province, Role.SUPER_ADMIN, YUEXIU)  # two levels below
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, city, Role.SUPER_ADMIN, GUANGZHOU)  # his own level


def test_outside_the_territory_a_place_does_not_exist(org: Org) -> None:
    county, outside = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school("440105")
    with pytest.raises(NotFound) as forbidden:
        grant(org, county, Role.SCHOOL_ADMIN, outside["place"])
    with pytest.raises(NotFound) as unknown:
        grant(org, county, Role.SCHOOL_ADMIN, f"{YUEXIU}/s{uuid.uuid4().hex}")
    assert forbidden.value.code == unknown.value.code == "org.place_unknown"


def test_other_has_no_staff(org: Org) -> None:
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        grant(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), Role.SCHOOL_ADMIN, f"{YUEXIU}/other")


def test_nobody_grants_to_himself_or_revokes_his_own(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], county.account_id)
    own = org.call("list_grants", {"place": YUEXIU, "limit": 200}, county)["items"]
    mine = next(item for item in own if item["account_id"] == str(county.account_id))
    with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
        org.call("revoke_grant", {"grant_id": mine["grant_id"]}, county)


def test_a_token_that_outlived_its_grant_grants_nothing(org: Org) -> None:
    nation = org.holder(Role.NATIONAL_OPERATOR, "CN")
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    held = next(
        item
        for item in org.call("list_grants", {"place": YUEXIU, "limit": 200}, nation)["items"]
        if item["account_id"] == str(county.account_id)
    )
    org.call("revoke_grant", {"grant_id": held["grant_id"]}, nation)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"])


def test_a_forged_wider_token_gives_no_more_than_is_held(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school("440105")
    wider = dataclasses.replace(county, grants=(*county.grants, Grant(Role.COUNTY_ADMIN, HAIZHU)))
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, wider, Role.SCHOOL_ADMIN, school["place"])


def test_a_role_belongs_to_its_level(org: Org) -> None:
    with pytest.raises(InvalidInput, match=r"org\.role_elsewhere"):
        grant(org, org.holder(Role.NATIONAL_OPERATOR, "CN"), Role.COUNTY_ADMIN, GUANGZHOU)


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.SCHOOL_ADMIN])
def test_a_school_has_one_principal_and_one_admin(org: Org, role: Role) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    first = grant(org, county, role, school["place"])
    with pytest.raises(Conflict, match=r"org\.place_taken"):
        grant(org, county, role, school["place"])
    second = grant(org, county, role, school["place"], replace=True)
    assert announced(org, first["account_id"])[-1] == (2, [])
    assert announced(org, second["account_id"]) == [(1, [[role, school["place"]]])]


def test_a_refused_replacement_leaves_the_present_holder(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    first = grant(org, county, Role.PRINCIPAL, school["place"])
    with pytest.raises(Conflict, match=r"org\.grant_exists"):
        grant(org, county, Role.PRINCIPAL, school["place"], uuid.UUID(first["account_id"]), replace=True)
    assert len(announced(org, first["account_id"])) == 1


def test_the_schools_admin_names_the_principal_and_nobody_else(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    account = new_id()
    grant(org, county, Role.SCHOOL_ADMIN, school["place"], account)
    admin = org.person(account, (Role.SCHOOL_ADMIN, school["place"]))
    assert grant(org, admin, Role.PRINCIPAL, school["place"])["role"] == "PRINCIPAL"
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, admin, Role.SCHOOL_ADMIN, school["place"])


def test_parallel_grants_leave_one_principal(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    outcomes: list[str] = []

    def press() -> None:
        try:
            outcomes.append(grant(org, county, Role.PRINCIPAL, school["place"])["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ACTIVE", "org.place_taken", "org.place_taken", "org.place_taken"]


def test_a_grant_begins_and_ends_by_the_clock(org: Org, fixed_clock: FixedClock) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    day, now = dt.timedelta(days=1), fixed_clock.instant
    given = grant(
        org,
        county,
        Role.SCHOOL_ADMIN,
        school["place"],
        valid_from=clock.format_instant(now + day),
        valid_to=clock.format_instant(now + 3 * day),
    )
    account = given["account_id"]
    assert announced(org, account) == [(1, [])]
    for moved in (now, now + day, now + 2 * day, now + 3 * day, now + 4 * day):
        org.component.service.apply_due_grants(moved)
    assert announced(org, account) == [(1, []), (2, [["SCHOOL_ADMIN", school["place"]]]), (3, [])]


def test_an_expired_grant_makes_room_before_the_sweeper_comes(org: Org, fixed_clock: FixedClock) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    now = fixed_clock.instant
    day = dt.timedelta(days=1)
    grant(org, county, Role.PRINCIPAL, school["place"], valid_to=clock.format_instant(now + day))
    fixed_clock.instant = now + 2 * day
    assert grant(org, county, Role.PRINCIPAL, school["place"])["state"] == "ACTIVE"


@pytest.mark.parametrize("days", [(-1,), (0,)])
def test_a_grant_that_is_over_before_it_begins_is_refused(org: Org, days: tuple[int]) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    end = clock.format_instant(clock.now() + dt.timedelta(days=days[0]))
    with pytest.raises(InvalidInput, match=r"org\.grant_period"):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], valid_to=end)


def test_the_first_grant_comes_from_the_operators_machine_and_is_safe_to_repeat(org: Org) -> None:
    account = str(new_id())
    body = {"account_id": account, "role": "COUNTY_ADMIN", "place": HAIZHU}
    assert org.call("bootstrap_grant", body, CLI)["grant_id"] == org.call("bootstrap_grant", body, CLI)["grant_id"]
    assert announced(org, account) == [(1, [["COUNTY_ADMIN", HAIZHU]])]
    with pytest.raises(NotAllowed):
        org.call("bootstrap_grant", body, org.holder(Role.NATIONAL_OPERATOR, "CN"))


def test_the_list_of_grants_stays_in_the_territory(org: Org) -> None:
    county, other = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.holder(Role.COUNTY_ADMIN, HAIZHU)
    listed = org.call("list_grants", {"place": YUEXIU, "limit": 200}, county)["items"]
    assert str(county.account_id) in {item["account_id"] for item in listed}
    assert all(item["place"] == YUEXIU or item["place"].startswith(f"{YUEXIU}/") for item in listed)
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        org.call("list_grants", {"place": YUEXIU}, other)
