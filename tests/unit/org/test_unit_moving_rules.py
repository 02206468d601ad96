"""Moving a school to another division: who asks, who executes."""

from __future__ import annotations

import itertools
import uuid

import pytest

from services.org.contract.units import MoveState
from services.org.units.rules import moving as rules
from services.org.units.rules.moving import Act
from services.shared.actor import Grant, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed

YUEXIU, HAIZHU = "CN/440000/440100/440104", "CN/440000/440100/440105"
GUANGZHOU, SHENZHEN, FUTIAN = "CN/440000/440100", "CN/440000/440300", "CN/440000/440300/440304"
GUANGDONG, GUANGXI, NANNING = "CN/440000", "CN/450000", "CN/450000/450100"
JIYUAN, ZHENGZHOU_COUNTY = "CN/410000/419001", "CN/410000/410100/410102"
ALLOWED = {
    ("REQUESTED", "EXECUTE"): "EXECUTED",
    ("REQUESTED", "REJECT"): "REJECTED",
    ("REQUESTED", "WITHDRAW"): "WITHDRAWN",
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(MoveState, Act)))
def test_a_request_is_decided_once(state: MoveState, act: Act) -> None:
    if (state, act) in ALLOWED:
        assert rules.next_state(state, act) == ALLOWED[state, act]
    else:
        with pytest.raises(Conflict, match=r"org\.move_decided"):
            rules.next_state(state, act)


@pytest.mark.parametrize(
    ("parent", "target", "place"),
    [
        (YUEXIU, HAIZHU, GUANGZHOU),
        (YUEXIU, FUTIAN, GUANGDONG),
        (GUANGZHOU, SHENZHEN, GUANGDONG),  # city-direct units
        (YUEXIU, GUANGZHOU, GUANGZHOU),  # to its own city
        (GUANGDONG, YUEXIU, GUANGDONG),  # a province-direct one to a county
        (YUEXIU, NANNING, "CN"),
        (JIYUAN, ZHENGZHOU_COUNTY, "CN/410000"),  # a county directly under its province
        ("CN/440000/440104", "CN/440000/44010", "CN/440000"),  # a like beginning is not the same place
    ],
)
def test_the_closest_level_above_both_sides_executes(parent: str, target: str, place: str) -> None:
    assert rules.executing_place(parent, target) == place
    assert rules.executing_place(target, parent) == place


@pytest.mark.parametrize(
    ("role", "place", "parent", "target", "may"),
    [
        (Role.COUNTY_ADMIN, YUEXIU, YUEXIU, HAIZHU, True),
        (Role.SUPER_ADMIN, YUEXIU, YUEXIU, HAIZHU, True),
        (Role.COUNTY_ADMIN, HAIZHU, YUEXIU, HAIZHU, True),  # the receiving side
        (Role.COUNTY_ADMIN, FUTIAN, YUEXIU, HAIZHU, False),
        (Role.CITY_ADMIN, GUANGZHOU, YUEXIU, HAIZHU, False),  # it executes
        (Role.CITY_ADMIN, GUANGZHOU, YUEXIU, FUTIAN, True),  # at its county's wish, to the province
        (Role.CITY_ADMIN, SHENZHEN, YUEXIU, FUTIAN, True),
        (Role.PROVINCE_ADMIN, GUANGDONG, YUEXIU, FUTIAN, False),
        (Role.PROVINCE_ADMIN, GUANGDONG, YUEXIU, NANNING, True),
        (Role.CITY_ADMIN, GUANGZHOU, YUEXIU, GUANGZHOU, True),  # it takes the school over
        (Role.PROVINCE_ADMIN, GUANGDONG, YUEXIU, GUANGZHOU, False),
        (Role.NATIONAL_OPERATOR, "CN", YUEXIU, HAIZHU, True),
        (Role.SCHOOL_ADMIN, f"{YUEXIU}/s1", YUEXIU, HAIZHU, False),
        (Role.DISTRICT_INSTITUTION, YUEXIU, YUEXIU, HAIZHU, False),
        (Role.AUDITOR, "CN", YUEXIU, HAIZHU, False),
    ],
)
def test_the_lower_level_asks(role: Role, place: str, parent: str, target: str, may: bool) -> None:
    assert rules.asks([Grant(role, place)], parent, target) is may
    assert rules.asks([], parent, target) is False


@pytest.mark.parametrize(
    ("role", "place", "target", "may"),
    [
        (Role.CITY_ADMIN, GUANGZHOU, HAIZHU, True),
        (Role.SUPER_ADMIN, GUANGZHOU, HAIZHU, True),
        (Role.PROVINCE_ADMIN, GUANGDONG, HAIZHU, False),
        (Role.PROVINCE_ADMIN, GUANGDONG, FUTIAN, True),
        (Role.CITY_ADMIN, GUANGZHOU, FUTIAN, False),
        (Role.CITY_CENTRE, GUANGZHOU, HAIZHU, False),
        (Role.NATIONAL_OPERATOR, "CN", HAIZHU, True),
        (Role.NATIONAL_OPERATOR, "CN", NANNING, True),
        (Role.PROVINCE_ADMIN, GUANGXI, NANNING, False),
    ],
)
def test_the_level_above_both_executes(role: Role, place: str, target: str, may: bool) -> None:
    if may:
        rules.require_executor([Grant(role, place)], YUEXIU, target)
    else:
        with pytest.raises(NotAllowed, match=r"org\.move_other_level"):
            rules.require_executor([Grant(role, place)], YUEXIU, target)


def test_nobody_decides_what_he_asked_and_only_he_takes_it_back() -> None:
    me, other = uuid.uuid4(), uuid.uuid4()
    rules.require_other_person(me, other)
    rules.require_own_request(me, me)
    with pytest.raises(NotAllowed, match=r"org\.move_own_request"):
        rules.require_other_person(me, me)
    with pytest.raises(NotAllowed, match=r"org\.move_not_yours"):
        rules.require_own_request(me, other)


def test_a_move_leads_somewhere() -> None:
    rules.require_elsewhere(YUEXIU, HAIZHU)
    with pytest.raises(InvalidInput, match=r"org\.move_nowhere"):
        rules.require_elsewhere(YUEXIU, YUEXIU)


def test_only_another_province_makes_the_code_foreign() -> None:
    assert rules.leaves_province(YUEXIU, NANNING)
    assert not rules.leaves_province(YUEXIU, FUTIAN)
    assert not rules.leaves_province(YUEXIU, GUANGDONG)
