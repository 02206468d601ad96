"""Which administrators a unit is expected to have, and how far each has come."""

from __future__ import annotations

import pytest

from services.org.contract import Level
from services.org.contract.delegation import SeatState
from services.org.delegation.rules import seats as rules
from services.org.delegation.rules.seats import Counts
from services.shared.actor import Role

SCHOOL = "CN/440000/440100/440104/s0191f2b45d6e7a3b8c1d2e3f4a5b6c7d"


@pytest.mark.parametrize(
    ("level", "seats"),
    [
        (Level.SCHOOL, (Role.SCHOOL_ADMIN,)),
        (Level.COUNTY, (Role.SUPER_ADMIN, Role.COUNTY_ADMIN)),
        (Level.CITY, (Role.SUPER_ADMIN, Role.CITY_ADMIN)),
        (Level.PROVINCE, (Role.SUPER_ADMIN, Role.PROVINCE_ADMIN)),
        (Level.NATION, ()),
    ],
)
def test_a_school_expects_one_administrator_a_region_two(level: Level, seats: tuple[Role, ...]) -> None:
    assert rules.seats_of(level) == seats


@pytest.mark.parametrize(
    ("holders", "codes", "former", "state"),
    [
        (0, 0, 0, SeatState.NOT_GENERATED),
        (0, 1, 0, SeatState.GENERATED),
        (1, 0, 0, SeatState.ACTIVATED),
        (1, 1, 3, SeatState.ACTIVATED),  # a code for a successor takes nothing from the present holder
        (0, 0, 1, SeatState.DISABLED),
        (0, 1, 1, SeatState.GENERATED),  # disabled, and a new code is on its way
    ],
)
def test_how_far_a_seat_has_come(holders: int, codes: int, former: int, state: SeatState) -> None:
    assert rules.state_of_seat(holders=holders, codes=codes, former=former) is state


def test_counts_add_up() -> None:
    total = sum((rules.count_of(state) for state in SeatState), Counts())
    assert total == Counts(expected=4, generated=1, activated=1, disabled=1)
    assert total.not_generated == 1
    assert not total - total
    assert rules.count_of(SeatState.ACTIVATED) - rules.count_of(SeatState.GENERATED) == Counts(0, -1, 1, 0)


def test_a_seat_counts_at_its_place_and_everywhere_above() -> None:
    assert rules.places_above(SCHOOL) == ["CN", "CN/440000", "CN/440000/440100", "CN/440000/440100/440104", SCHOOL]


def test_other_is_no_school() -> None:
    assert rules.is_school(SCHOOL)
    assert not rules.is_school("CN/440000/440100/440104/other")
    assert not rules.is_school("CN/440000/440100/440104")
