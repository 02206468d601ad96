"""Which tenant policy holds at a place."""

from __future__ import annotations

import itertools

import pytest

from services.org.contract import Level
from services.org.contract.units import ProfileReview, TenantMode
from services.org.units.rules import policies
from services.org.units.rules.policies import DEFAULT, TenantPolicy
from services.shared.errors import InvalidInput

PROVINCE = TenantPolicy("CN/450000", TenantMode.GATED, 1, ProfileReview.REQUIRED)
CITY = TenantPolicy("CN/450000/450100", TenantMode.OPEN, 3, ProfileReview.NONE)
COUNTY = TenantPolicy("CN/450000/450100/450102", TenantMode.GATED, 2, ProfileReview.NONE)


@pytest.mark.parametrize("order", list(itertools.permutations([PROVINCE, CITY, COUNTY])))
def test_the_nearest_one_holds_in_whatever_order_they_are_found(order: tuple[TenantPolicy, ...]) -> None:
    assert policies.nearest(order) is COUNTY
    assert policies.nearest([policy for policy in order if policy is not COUNTY]) is CITY


def test_without_any_a_place_is_open_with_one_admin() -> None:
    assert policies.nearest([]) == DEFAULT
    assert (DEFAULT.mode, DEFAULT.max_school_admins) == (TenantMode.OPEN, 1)


def test_the_path_to_a_school_names_all_above_it() -> None:
    assert policies.path_to("CN/450000/450100/s1") == ["CN", "CN/450000", "CN/450000/450100", "CN/450000/450100/s1"]
    assert policies.path_to("CN") == ["CN"]


def test_the_id_of_a_policy_follows_from_its_place() -> None:
    assert policies.id_of("CN/450000") == policies.id_of("CN/450000") != policies.id_of("CN/440000")


@pytest.mark.parametrize("level", list(Level))
def test_provinces_cities_and_counties_decide(level: Level) -> None:
    if level in (Level.PROVINCE, Level.CITY, Level.COUNTY):
        policies.require_policy_level(level)
    else:
        with pytest.raises(InvalidInput, match=r"org\.policy_elsewhere"):
            policies.require_policy_level(level)
