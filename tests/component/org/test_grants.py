"""Granting, replacing, revoking and expiring roles, and what is announced of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.identity.contract import ACCOUNT_REGISTERED, PROFILE_CHANGED, person
from services.org import contract
from services.org.actions import grants
from services.org.delegation.queries import find_appointee
from services.org.rules.delegation import Appointee
from services.shared import clock
from services.shared.actor import Actor, Grant, Role
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError, Unavailable
from services.shared.ids import new_id
from services.shared.policy import anyone
from tests.component.org.conftest import CLI, GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres


def grant(
    org: Org, grantor: Actor, role: Role, place: str, account: uuid.UUID | None = None, **more: Any
) -> dict[str, Any]:
    wanted = {"account_id": str(account or org.account()), "role": role, "place": place, **more}
    if place not in ("CN", GUANGDONG):
        return org.call("grant_role", wanted, grantor)
    # A role of a province or of the nation takes a second person.
    proposed = {"proposal_id": org.call("propose_grant", wanted, grantor)["proposal_id"]}
    return org.call("approve_grant", proposed, org.holder(Role.NATIONAL_OPERATOR, "CN"))


def teacher_of(org: Org, school: dict[str, Any]) -> uuid.UUID:
    """A verified teacher of the school: whom it may name its principal."""
    account = org.account()
    org.member(school, "VERIFIED", account_id=account)
    return account


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
    account = org.account()
    grant(org, org.holder(Role.COUNTY_ADMIN, HAIZHU), Role.SCHOOL_ADMIN, there["place"], account)
    grant(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), Role.SCHOOL_ADMIN, here["place"], account)
    assert announced(org, str(account))[-1] == (
        2,
        sorted([["SCHOOL_ADMIN", here["place"]], ["SCHOOL_ADMIN", there["place"]]]),
    )


def test_super_admins_build_the_chain_downwards(org: Org) -> None:
    nation = org.holder(Role.NATIONAL_OPERATOR, "CN")
    province_id = org.account()
    grant(org, nation, Role.SUPER_ADMIN, GUANGDONG, province_id)
    province = org.person(province_id, (Role.SUPER_ADMIN, GUANGDONG))
    city_id = org.account()
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
    school = org.school()
    above = {Role.SCHOOL_ADMIN: (Role.COUNTY_ADMIN, YUEXIU), Role.PRINCIPAL: (Role.SCHOOL_ADMIN, school["place"])}
    giver = org.holder(*above[role])
    one, other, third = (teacher_of(org, school) for _ in range(3))
    first = grant(org, giver, role, school["place"], one)
    with pytest.raises(Conflict, match=r"org\.place_taken"):
        grant(org, giver, role, school["place"], other)
    second = grant(org, giver, role, school["place"], third, replace=True)
    assert announced(org, first["account_id"])[-1] == (2, [])
    assert announced(org, second["account_id"]) == [(1, [[role, school["place"]]])]


def test_a_refused_replacement_leaves_the_present_holder(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    first = grant(org, county, Role.SCHOOL_ADMIN, school["place"])
    with pytest.raises(Conflict, match=r"org\.grant_exists"):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], uuid.UUID(first["account_id"]), replace=True)
    assert len(announced(org, first["account_id"])) == 1


def test_the_schools_admin_names_the_principal_and_nobody_else(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    account = org.account()
    grant(org, county, Role.SCHOOL_ADMIN, school["place"], account)
    admin = org.person(account, (Role.SCHOOL_ADMIN, school["place"]))
    teacher = org.account()
    org.member(school, "VERIFIED", account_id=teacher)
    assert grant(org, admin, Role.PRINCIPAL, school["place"], teacher)["role"] == "PRINCIPAL"
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, admin, Role.SCHOOL_ADMIN, school["place"])


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.COUNTY_ADMIN, YUEXIU),
        (Role.SUPER_ADMIN, YUEXIU),
        (Role.SUPER_ADMIN, GUANGDONG),
        (Role.NATIONAL_OPERATOR, "CN"),
    ],
)
def test_nobody_above_the_school_names_or_relieves_its_principal(org: Org, role: Role, place: str) -> None:
    school = org.school()
    teacher, above = teacher_of(org, school), org.holder(role, place)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, above, Role.PRINCIPAL, school["place"], teacher)
    given = grant(org, org.holder(Role.SCHOOL_ADMIN, school["place"]), Role.PRINCIPAL, school["place"], teacher)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        org.call("revoke_grant", {"grant_id": given["grant_id"], "reason": "换届"}, above)


def test_parallel_grants_leave_one_principal(org: Org) -> None:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    candidates = [teacher_of(org, school) for _ in range(4)]
    outcomes: list[str] = []

    def press(candidate: uuid.UUID) -> None:
        try:
            outcomes.append(grant(org, admin, Role.PRINCIPAL, school["place"], candidate)["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press, args=(candidate,)) for candidate in candidates]
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
    grant(org, county, Role.SCHOOL_ADMIN, school["place"], valid_to=clock.format_instant(now + day))
    fixed_clock.instant = now + 2 * day
    assert grant(org, county, Role.SCHOOL_ADMIN, school["place"])["state"] == "ACTIVE"


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


def test_the_grants_of_a_school_follow_it(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    admin = grant(org, county, Role.SCHOOL_ADMIN, school["place"])
    elsewhere = grant(org, county, Role.SCHOOL_ADMIN, org.school()["place"], uuid.UUID(admin["account_id"]))
    moved = f"{HAIZHU}/{school['place'].rpartition('/')[2]}"
    assert act(org, lambda db, call: grants.move_grants(db, call, school["place"], moved)) == 1
    assert announced(org, admin["account_id"])[-1] == (
        3,
        sorted([["SCHOOL_ADMIN", moved], ["SCHOOL_ADMIN", elsewhere["place"]]]),
    )


def test_the_grants_of_a_school_end_with_it(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    admin = org.account()
    given = [
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], admin),
        grant(
            org,
            org.person(admin, (Role.SCHOOL_ADMIN, school["place"])),
            Role.PRINCIPAL,
            school["place"],
            teacher_of(org, school),
        ),
    ]
    assert act(org, lambda db, call: grants.end_grants_at(db, call, school["place"], "学校合并")) == 2
    assert [announced(org, each["account_id"])[-1] for each in given] == [(2, []), (2, [])]
    assert act(org, lambda db, call: grants.end_grants_at(db, call, school["place"], "学校合并")) == 0


def act(org: Org, do: Callable[[Session, Call], Any]) -> Any:
    """As an entrypoint that sees everything would."""
    everywhere = anyone().seeing_everything("test")
    call = Call(
        "org", "raw", {}, org.person(), everywhere, time.monotonic() + 5, command_id=str(new_id()), settled=True
    )
    return org.component.database.commit_once(call, lambda db: do(db, call))


def test_nobody_is_appointed_who_has_no_account(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    with pytest.raises(NotFound, match=r"org\.account_unknown"):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], uuid.UUID("0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"))
    with pytest.raises(Unavailable, match=r"org\.account_not_told"):  # made this moment: the announcement is on its way
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], new_id())


def test_an_account_that_was_merged_away_or_erased_is_appointed_no_more(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    account = org.account()
    tell = org.component.deliver
    pair = {"kept_id": str(new_id()), "merged_id": str(account)}
    tell("on_account_merged_away", person.PERSONS_MERGED, {**pair, "version": 5})
    with pytest.raises(Unavailable):
        grant(org, county, Role.SCHOOL_ADMIN, school["place"], account)
    tell("on_account_restored", person.MERGE_UNDONE, {**pair, "version": 6})
    tell("on_account_merged_away", person.PERSONS_MERGED, {**pair, "version": 5})  # late, and told twice
    grant(org, county, Role.SCHOOL_ADMIN, school["place"], account)
    tell("on_account_erased", person.PERSON_ERASED, {"account_id": str(account), "version": 7})
    with pytest.raises(Unavailable):
        grant(org, county, Role.SCHOOL_ADMIN, org.school()["place"], account)


def test_the_name_is_known_whatever_comes_first(org: Org) -> None:
    account = new_id()
    profile = {"account_id": str(account), "complete": True, "segment": "", "subject": ""}
    for version, named in ((3, True), (2, False)):
        org.component.deliver("on_profile_changed", PROFILE_CHANGED, {**profile, "version": version, "named": named})
    registered = {"account_id": str(account), "version": 1, "identity": "TEACHER"}
    org.component.deliver("on_account_registered", ACCOUNT_REGISTERED, registered)
    with org.component.database.work() as db:
        assert find_appointee(db, account) == Appointee(known=True, named=True)
    # Told before the field was there: a complete profile has a name.
    org.component.deliver("on_profile_changed", PROFILE_CHANGED, {**profile, "version": 4})
    with org.component.database.work() as db:
        assert find_appointee(db, account).named


def test_a_school_appoints_only_its_own_verified_teachers(org: Org) -> None:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    stranger, waiting, elsewhere = org.account(), org.account(), org.account()
    org.member(school, account_id=waiting)
    org.member(org.school(), "VERIFIED", account_id=elsewhere)
    for account in (stranger, waiting, elsewhere):
        with pytest.raises(Conflict, match=r"org\.not_own_teacher"):
            grant(org, admin, Role.PRINCIPAL, school["place"], account)


def test_where_the_tenant_allows_several_admins_they_appoint_and_disable_each_other(org: Org) -> None:
    super_admin = org.holder(Role.SUPER_ADMIN, HAIZHU)
    policy = {"place": HAIZHU, "mode": "OPEN", "max_school_admins": 2, "profile_review": "NONE", "reason": "两名管理员"}
    school = org.school("440105")
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    first, second = org.account(), org.account()
    for account in (first, second):
        org.member(school, "VERIFIED", account_id=account)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        grant(org, admin, Role.SCHOOL_ADMIN, school["place"], first)
    org.call("set_tenant_policy", policy, super_admin)
    try:
        given = grant(org, admin, Role.SCHOOL_ADMIN, school["place"], first)
        with pytest.raises(Conflict, match=r"org\.place_taken"):
            grant(org, admin, Role.SCHOOL_ADMIN, school["place"], second)
        disabled = org.call("revoke_grant", {"grant_id": given["grant_id"], "reason": "停用"}, admin)
        assert disabled["state"] == "REVOKED"
        rows = org.call("list_unit_administrators", {"place": school["place"]}, admin)["items"]
        assert [(row["account_id"], row["state"]) for row in rows] == [
            (str(admin.account_id), "ACTIVE"),
            (str(first), "REVOKED"),  # disabled, never deleted
        ]
        with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
            org.call("revoke_grant", {"grant_id": rows[0]["grant_id"]}, admin)
    finally:
        org.call("withdraw_tenant_policy", {"place": HAIZHU, "reason": "试验结束"}, super_admin)


@pytest.mark.parametrize(
    ("by", "at", "role", "place"),
    [
        (Role.SUPER_ADMIN, YUEXIU, Role.DISTRICT_INSTITUTION, YUEXIU),
        (Role.SUPER_ADMIN, GUANGZHOU, Role.CITY_CENTRE, GUANGZHOU),
        (Role.NATIONAL_OPERATOR, "CN", Role.SUPPORT_AGENT, "CN"),
        (Role.NATIONAL_OPERATOR, "CN", Role.AUDITOR, GUANGDONG),
    ],
)
def test_institutions_support_and_audit_are_appointed_by_name(
    org: Org, by: Role, at: str, role: Role, place: str
) -> None:
    assert grant(org, org.holder(by, at), role, place)["role"] == role
    with pytest.raises((NotAllowed, NotFound), match=r"org\.(grant_refused|place_unknown)"):
        grant(org, org.holder(Role.SUPER_ADMIN, GUANGDONG), role, place)


def test_an_auditor_holds_nothing_else(org: Org) -> None:
    nation, school = org.holder(Role.NATIONAL_OPERATOR, "CN"), org.school()
    auditor, administrator = org.account(), org.account()
    grant(org, nation, Role.AUDITOR, "CN", auditor)
    grant(org, nation, Role.SCHOOL_ADMIN, school["place"], administrator)
    with pytest.raises(Conflict, match=r"org\.auditor_alone"):
        grant(org, nation, Role.SUPPORT_AGENT, "CN", auditor)
    with pytest.raises(Conflict, match=r"org\.auditor_alone"):
        grant(org, nation, Role.AUDITOR, GUANGDONG, administrator)


def test_the_principal_sees_the_school_and_its_staff_and_gives_nothing(org: Org) -> None:
    school, other = org.school(), org.school()
    principal = org.holder(Role.PRINCIPAL, school["place"])
    teacher = org.member(school)
    page = org.call("list_memberships", {"school_id": school["school_id"]}, principal)
    assert [item["teacher_id"] for item in page["items"]] == [str(teacher.account_id)]
    assert org.call("get_school", {"school_id": school["school_id"]}, principal)["contact"] is not None
    assert org.call("list_unit_administrators", {"place": school["place"]}, principal)["items"]
    verified = org.call("verify_membership", {"teacher_id": str(teacher.account_id)}, principal)
    assert verified["state"] == "VERIFIED"
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        org.call("release_membership", {"teacher_id": str(teacher.account_id), "reason": "试验"}, principal)
    with pytest.raises(NotFound):
        org.call("list_memberships", {"school_id": other["school_id"]}, principal)
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        grant(org, principal, Role.SCHOOL_ADMIN, school["place"])
