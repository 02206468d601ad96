"""Who may grant which role where: the whole table, and that nothing outside it is ever possible."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from services.org.contract import GrantState, Level
from services.org.rules import delegation as rules
from services.org.rules.delegation import Held, Target
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed
from services.shared.ids import new_id

NATION = Target("CN", Level.NATION, "")
PROVINCE = Target("CN/44", Level.PROVINCE, "CN")
CITY = Target("CN/44/01", Level.CITY, "CN/44")
COUNTY = Target("CN/44/01/03", Level.COUNTY, "CN/44/01")
SCHOOL = Target("CN/44/01/03/s1", Level.SCHOOL, "CN/44/01/03")
CITY_SCHOOL = Target("CN/44/01/s2", Level.SCHOOL, "CN/44/01")
PROVINCE_SCHOOL = Target("CN/44/s3", Level.SCHOOL, "CN/44")
DIRECT_COUNTY = Target("CN/44/90", Level.COUNTY, "CN/44")  # a county directly under its province
DIRECT_COUNTY_SCHOOL = Target("CN/44/90/s4", Level.SCHOOL, "CN/44/90")
ELSEWHERE = (
    Target("CN/45", Level.PROVINCE, "CN"),
    Target("CN/44/02", Level.CITY, "CN/44"),
    Target("CN/44/01/04", Level.COUNTY, "CN/44/01"),
    Target("CN/44/01/04/s9", Level.SCHOOL, "CN/44/01/04"),
    Target("CN/44/01/035", Level.COUNTY, "CN/44/01"),  # its path begins with the county's, and is not below it
)
TARGETS = (
    NATION, PROVINCE, CITY, COUNTY, SCHOOL, CITY_SCHOOL, PROVINCE_SCHOOL, DIRECT_COUNTY, DIRECT_COUNTY_SCHOOL, *ELSEWHERE,
)  # fmt: skip
STAFF = {Role.SCHOOL_ADMIN, Role.PRINCIPAL}

# What each holder may give: (role, target). Written from `domain.md` §1.2, not from the code.
MAY_GIVE: dict[tuple[Role, Target], set[tuple[Role, Target]]] = {
    (Role.PRINCIPAL, SCHOOL): set(),
    (Role.SCHOOL_ADMIN, SCHOOL): {(Role.PRINCIPAL, SCHOOL)},
    (Role.COUNTY_ADMIN, COUNTY): {(role, SCHOOL) for role in STAFF},
    (Role.CITY_ADMIN, CITY): {(role, CITY_SCHOOL) for role in STAFF},
    (Role.PROVINCE_ADMIN, PROVINCE): {(role, PROVINCE_SCHOOL) for role in STAFF},
    (Role.SUPER_ADMIN, COUNTY): {(Role.COUNTY_ADMIN, COUNTY)} | {(role, SCHOOL) for role in STAFF},
    (Role.SUPER_ADMIN, CITY): {(Role.CITY_ADMIN, CITY), (Role.SUPER_ADMIN, COUNTY)}
    | {(Role.SUPER_ADMIN, ELSEWHERE[2]), (Role.SUPER_ADMIN, ELSEWHERE[4])}
    | {(role, CITY_SCHOOL) for role in STAFF},
    (Role.SUPER_ADMIN, PROVINCE): {(Role.PROVINCE_ADMIN, PROVINCE)}
    | {(Role.SUPER_ADMIN, CITY), (Role.SUPER_ADMIN, ELSEWHERE[1]), (Role.SUPER_ADMIN, DIRECT_COUNTY)}
    | {(role, PROVINCE_SCHOOL) for role in STAFF},
    (Role.NATIONAL_OPERATOR, NATION): {
        (role, target)
        for role in Role
        for target in TARGETS
        if target.level in rules.LEVELS_OF_ROLE[role] and role is not Role.NATIONAL_OPERATOR
    },
}


def may_give(held: Held, role: Role, target: Target) -> bool:
    """What `grant_role` decides: the role must exist there, and the holder must be above it."""
    try:
        rules.require_role_at_level(role, target.level)
        rules.require_delegation([held], role, target)
    except (InvalidInput, NotAllowed):
        return False
    return True


@pytest.mark.parametrize("holder", MAY_GIVE)
def test_the_whole_table_of_who_may_give_what(holder: tuple[Role, Target]) -> None:
    held = Held(holder[0], holder[1].place, holder[1].level)
    given = {(role, target) for role, target in itertools.product(Role, TARGETS) if may_give(held, role, target)}
    assert given == MAY_GIVE[holder]


@pytest.mark.parametrize("holder", MAY_GIVE)
def test_nobody_gives_outside_his_subtree(holder: tuple[Role, Target]) -> None:
    held = Held(holder[0], holder[1].place, holder[1].level)
    for role, target in itertools.product(Role, TARGETS):
        if may_give(held, role, target):
            assert covers(held.place, target.place)


def test_several_grants_add_up_but_none_gives_nothing() -> None:
    county = Held(Role.COUNTY_ADMIN, COUNTY.place, Level.COUNTY)
    city = Held(Role.CITY_ADMIN, CITY.place, Level.CITY)
    rules.require_delegation([city, county], Role.SCHOOL_ADMIN, SCHOOL)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        rules.require_delegation([], Role.SCHOOL_ADMIN, SCHOOL)


def test_nobody_gives_to_himself() -> None:
    me = new_id()
    rules.require_other_holder(me, new_id())
    with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
        rules.require_other_holder(me, me)


@pytest.mark.parametrize(
    ("role", "place", "parent", "allowed"),
    [
        (Role.COUNTY_ADMIN, COUNTY.place, COUNTY.place, True),
        (Role.SUPER_ADMIN, COUNTY.place, COUNTY.place, True),
        (Role.CITY_ADMIN, CITY.place, CITY.place, True),
        (Role.NATIONAL_OPERATOR, "CN", COUNTY.place, True),
        (Role.CITY_ADMIN, CITY.place, COUNTY.place, False),
        (Role.PROVINCE_ADMIN, PROVINCE.place, CITY.place, False),
        (Role.COUNTY_ADMIN, COUNTY.place, ELSEWHERE[4].place, False),
        (Role.SCHOOL_ADMIN, SCHOOL.place, SCHOOL.place, False),
    ],
)
def test_who_keeps_the_schools_of_a_division(role: Role, place: str, parent: str, allowed: bool) -> None:
    assert rules.keeps_schools_under(role, place, parent) is allowed
    if allowed:
        rules.require_school_keeper([Grant(Role.PRINCIPAL, place), Grant(role, place)], parent)
    else:
        with pytest.raises(NotAllowed, match=r"org\.not_directly_attached"):
            rules.require_school_keeper([Grant(role, place)], parent)


NOW = dt.datetime(2023, 1, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "allowed"),
    [
        (NOW, None, True),
        (NOW + DAY, None, True),
        (NOW - DAY, NOW + DAY, True),
        (NOW, NOW, False),
        (NOW + 2 * DAY, NOW + DAY, False),
        (NOW - 2 * DAY, NOW - DAY, False),
    ],
)
def test_a_grant_must_be_live_at_some_time_to_come(
    valid_from: dt.datetime, valid_to: dt.datetime | None, allowed: bool
) -> None:
    if allowed:
        rules.require_period(valid_from, valid_to, NOW)
        return
    with pytest.raises(InvalidInput, match=r"org\.grant_period") as refused:
        rules.require_period(valid_from, valid_to, NOW)
    assert refused.value.field == "valid_to"


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.SCHOOL_ADMIN])
def test_a_school_has_room_for_one(role: Role) -> None:
    rules.require_room(role, 0)
    with pytest.raises(Conflict, match=r"org\.place_taken"):
        rules.require_room(role, 1)


def test_a_region_has_room_for_many() -> None:
    rules.require_room(Role.COUNTY_ADMIN, 500)


@pytest.mark.parametrize(
    ("state", "valid_from", "valid_to", "live"),
    [
        (GrantState.ACTIVE, NOW, None, True),
        (GrantState.ACTIVE, NOW, NOW + DAY, True),
        (GrantState.ACTIVE, NOW + DAY, None, False),
        (GrantState.ACTIVE, NOW - DAY, NOW, False),
        (GrantState.REVOKED, NOW, None, False),
        (GrantState.EXPIRED, NOW, None, False),
    ],
)
def test_live_is_from_its_beginning_until_before_its_end(
    state: GrantState, valid_from: dt.datetime, valid_to: dt.datetime | None, live: bool
) -> None:
    assert rules.is_live(state, valid_from, valid_to, NOW) is live
