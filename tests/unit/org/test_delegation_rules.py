"""Who may grant which role where: the whole table, and that nothing outside it is ever possible."""

from __future__ import annotations

import datetime as dt
import itertools
import time
import uuid

import pytest

from services.org.contract import GrantState, Level
from services.org.rules import delegation as rules
from services.org.rules.delegation import Appointee, Held, Target
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
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
# What whoever keeps a school or institution gives there: who administers it, and who runs its training projects (A11) [I]. Its
# principal is named by itself (S3:196).
STAFF = {Role.SCHOOL_ADMIN, Role.TRAINING_INSTITUTION}

# What each holder may give: (role, target). Written from `domain.md` §1.2, not from the code.
MAY_GIVE: dict[tuple[Role, Target], set[tuple[Role, Target]]] = {
    (Role.PRINCIPAL, SCHOOL): set(),
    (Role.SCHOOL_ADMIN, SCHOOL): {(Role.PRINCIPAL, SCHOOL)},
    (Role.COUNTY_ADMIN, COUNTY): {(role, SCHOOL) for role in STAFF},
    (Role.CITY_ADMIN, CITY): {(role, CITY_SCHOOL) for role in STAFF},
    (Role.PROVINCE_ADMIN, PROVINCE): {(role, PROVINCE_SCHOOL) for role in STAFF},
    (Role.DISTRICT_INSTITUTION, COUNTY): set(),
    (Role.CITY_CENTRE, CITY): set(),
    (Role.SUPPORT_AGENT, NATION): set(),
    (Role.AUDITOR, NATION): set(),
    (Role.AUDITOR, PROVINCE): set(),
    (Role.SUPER_ADMIN, COUNTY): {(Role.COUNTY_ADMIN, COUNTY), (Role.DISTRICT_INSTITUTION, COUNTY)}
    | {(role, SCHOOL) for role in STAFF},
    (Role.SUPER_ADMIN, CITY): {(Role.CITY_ADMIN, CITY), (Role.CITY_CENTRE, CITY), (Role.SUPER_ADMIN, COUNTY)}
    | {(Role.SUPER_ADMIN, ELSEWHERE[2]), (Role.SUPER_ADMIN, ELSEWHERE[4])}
    | {(role, CITY_SCHOOL) for role in STAFF},
    (Role.SUPER_ADMIN, PROVINCE): {(Role.PROVINCE_ADMIN, PROVINCE)}
    | {(Role.SUPER_ADMIN, CITY), (Role.SUPER_ADMIN, ELSEWHERE[1]), (Role.SUPER_ADMIN, DIRECT_COUNTY)}
    | {(role, PROVINCE_SCHOOL) for role in STAFF},
    (Role.NATIONAL_OPERATOR, NATION): {
        (role, target)
        for role in Role
        for target in TARGETS
        if target.level in rules.LEVELS_OF_ROLE[role] and role not in (Role.NATIONAL_OPERATOR, Role.PRINCIPAL)
    },
}


def may_give(held: Held, role: Role, target: Target, max_school_admins: int = 1) -> bool:
    """What `grant_role` decides: the role must exist there, and the holder must be above it."""
    try:
        rules.require_role_at_level(role, target.level)
        rules.require_delegation([held], role, target, max_school_admins)
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
    rules.require_delegation([city, county], Role.SCHOOL_ADMIN, SCHOOL, 1)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        rules.require_delegation([], Role.SCHOOL_ADMIN, SCHOOL, 1)


@pytest.mark.parametrize("holder", MAY_GIVE)
def test_where_a_school_may_have_several_admins_they_appoint_each_other_and_nothing_else_changes(
    holder: tuple[Role, Target],
) -> None:
    held = Held(holder[0], holder[1].place, holder[1].level)
    given = {(role, target) for role, target in itertools.product(Role, TARGETS) if may_give(held, role, target, 3)}
    more = {(Role.SCHOOL_ADMIN, SCHOOL)} if holder == (Role.SCHOOL_ADMIN, SCHOOL) else set()
    assert given == MAY_GIVE[holder] | more


def test_whether_a_school_or_somebody_above_it_gives() -> None:
    school = Held(Role.SCHOOL_ADMIN, SCHOOL.place, Level.SCHOOL)
    county = Held(Role.COUNTY_ADMIN, COUNTY.place, Level.COUNTY)
    assert rules.gives_as_school([school], Role.PRINCIPAL, SCHOOL, 1)
    assert rules.gives_as_school([school, county], Role.PRINCIPAL, SCHOOL, 1)  # the county has no say in it
    assert not rules.gives_as_school([school, county], Role.SCHOOL_ADMIN, SCHOOL, 2)
    assert not rules.gives_as_school([school], Role.SCHOOL_ADMIN, SCHOOL, 1)
    assert rules.gives_as_school([school], Role.SCHOOL_ADMIN, SCHOOL, 2)


def test_a_school_appoints_its_own_teachers() -> None:
    rules.require_own_teacher(verified_here=True)
    with pytest.raises(Conflict, match=r"org\.not_own_teacher"):
        rules.require_own_teacher(verified_here=False)


def test_nobody_is_appointed_who_has_no_account() -> None:
    rules.require_known(Appointee(known=True), DAY)
    with pytest.raises(NotFound, match=r"org\.account_unknown"):
        rules.require_known(Appointee(known=False), DAY)
    with pytest.raises(NotFound, match=r"org\.account_unknown"):
        rules.require_known(Appointee(known=False), -DAY)  # an id that claims to be of tomorrow
    with pytest.raises(Unavailable, match=r"org\.account_not_told"):
        rules.require_known(Appointee(known=False), dt.timedelta(seconds=59))


def test_an_id_tells_when_it_was_made() -> None:
    assert dt.timedelta(0) <= rules.age_of(new_id(), time.time()) < dt.timedelta(seconds=5)
    made = uuid.UUID("0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d")
    assert rules.age_of(made, 0x0191F2B45D6E / 1000 + 60) == dt.timedelta(seconds=60)


def test_an_administrator_bears_a_true_name() -> None:
    rules.require_true_name(Appointee(known=True, named=True))
    with pytest.raises(Conflict, match=r"org\.true_name_needed"):
        rules.require_true_name(Appointee(known=True))


@pytest.mark.parametrize("role", Role)
def test_an_auditor_holds_nothing_else(role: Role) -> None:
    rules.require_separation(role, [])
    with pytest.raises(Conflict, match=r"org\.auditor_alone"):
        rules.require_separation(role, [Role.AUDITOR])
    if role is not Role.AUDITOR:
        rules.require_separation(role, [Role.PRINCIPAL])
        with pytest.raises(Conflict, match=r"org\.auditor_alone"):
            rules.require_separation(Role.AUDITOR, [role])


def test_nobody_is_appointed_where_no_unit_stands() -> None:
    rules.require_standing(standing=True)
    with pytest.raises(Conflict, match=r"org\.unit_ended"):
        rules.require_standing(standing=False)


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


@pytest.mark.parametrize(
    ("role", "holders", "policy", "in_the_way"),
    [
        (Role.PRINCIPAL, 0, 1, 0),
        (Role.PRINCIPAL, 1, 3, 1),  # one principal, whatever the policy for admins
        (Role.SCHOOL_ADMIN, 0, 1, 0),
        (Role.SCHOOL_ADMIN, 1, 1, 1),
        (Role.SCHOOL_ADMIN, 2, 3, 0),
        (Role.SCHOOL_ADMIN, 3, 3, 1),
        (Role.SCHOOL_ADMIN, 5, 3, 3),  # the policy was lowered since
        (Role.COUNTY_ADMIN, 500, 1, 0),
    ],
)
def test_how_many_are_in_the_way_of_one_more(role: Role, holders: int, policy: int, in_the_way: int) -> None:
    assert rules.too_many(role, holders, policy) == in_the_way
    if in_the_way:
        with pytest.raises(Conflict, match=r"org\.place_taken"):
            rules.require_room(role, holders, policy)
    else:
        rules.require_room(role, holders, policy)


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
