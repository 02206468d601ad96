"""Who reviews whose profile: the school its own; its administrator is reviewed by whoever keeps the school."""

from __future__ import annotations

import pytest

from services.identity.person.rules.review import may_review
from services.shared.actor import Grant, Role

CITY, COUNTY = "CN/440000/440100", "CN/440000/440100/440103"
SCHOOL, NEIGHBOUR, DIRECT = f"{COUNTY}/s1", f"{COUNTY}/s2", f"{CITY}/s3"
IN_A_CITY_WITHOUT_COUNTIES = "CN/440000/441900/s4"


@pytest.mark.parametrize(
    ("role", "at", "place", "of_administrators"),
    [
        (Role.SCHOOL_ADMIN, SCHOOL, NEIGHBOUR, False),
        (Role.COUNTY_ADMIN, COUNTY, SCHOOL, True),
        (Role.COUNTY_ADMIN, COUNTY, COUNTY, True),
        (Role.COUNTY_ADMIN, COUNTY, DIRECT, False),
        (Role.CITY_ADMIN, CITY, DIRECT, True),
        (Role.CITY_ADMIN, CITY, SCHOOL, False),
        (Role.CITY_ADMIN, CITY, COUNTY, False),
        (Role.CITY_ADMIN, CITY, CITY, False),
        (Role.CITY_ADMIN, "CN/440000/441900", IN_A_CITY_WITHOUT_COUNTIES, True),
        (Role.PROVINCE_ADMIN, "CN/440000", DIRECT, False),
        (Role.PROVINCE_ADMIN, "CN/440000", "CN/440000/s5", True),
        (Role.SUPER_ADMIN, CITY, DIRECT, False),
        (Role.PRINCIPAL, SCHOOL, SCHOOL, False),
    ],
)
def test_who_reviews_administrators_and_nobody_else(role, at, place, of_administrators):
    assert may_review([Grant(role, at)], place, [["SCHOOL_ADMIN", place]]) is of_administrators
    for held in ([], [["PRINCIPAL", place]], [["SCHOOL_ADMIN", f"{place}0"]], [["COUNTY_ADMIN", COUNTY]]):
        assert not may_review([Grant(role, at)], place, held)


def test_the_school_reviews_everybody_of_its_own():
    for held in ([], [["SCHOOL_ADMIN", SCHOOL]], [["PRINCIPAL", SCHOOL]]):
        assert may_review([Grant(Role.SCHOOL_ADMIN, SCHOOL)], SCHOOL, held)
        assert not may_review([], SCHOOL, held)
