"""Counts of teachers per place: what a change at a school adds above it, and who is in which total."""

from __future__ import annotations

import random

from services.org.staffing.rules import counts

SCHOOL = "CN/440000/440100/440104/s1"
OTHER = "CN/440000/440100/440105/s2"


def test_a_change_at_a_school_reaches_every_place_above() -> None:
    assert counts.ancestors(SCHOOL) == [SCHOOL, "CN/440000/440100/440104", "CN/440000/440100", "CN/440000", "CN"]
    assert counts.rolled_up([(SCHOOL, "PENDING", "ON_DUTY", 2)]) == {
        (place, "PENDING", "ON_DUTY"): 2 for place in counts.ancestors(SCHOOL)
    }


def test_a_move_inside_a_city_changes_nothing_of_the_city() -> None:
    rolled = counts.rolled_up([(SCHOOL, "VERIFIED", "ON_DUTY", -1), (OTHER, "VERIFIED", "ON_DUTY", 1)])
    assert {place: teachers for (place, _, _), teachers in rolled.items()} == {
        SCHOOL: -1, "CN/440000/440100/440104": -1, OTHER: 1, "CN/440000/440100/440105": 1,
    }  # fmt: skip


def test_changes_in_any_order_and_grouping_come_to_the_same() -> None:
    chance = random.Random(7)
    changes = [
        (
            chance.choice([SCHOOL, OTHER]),
            chance.choice(["PENDING", "VERIFIED"]),
            chance.choice(["ON_DUTY", "LEFT"]),
            chance.choice([-2, -1, 1, 3]),
        )
        for _ in range(200)
    ]
    whole = counts.rolled_up(changes)
    chance.shuffle(changes)
    parts = [counts.rolled_up(changes[start : start + 17]) for start in range(0, 200, 17)]
    sums: dict[counts.Key, int] = {}
    for part in parts:
        for key, teachers in part.items():
            sums[key] = sums.get(key, 0) + teachers
    assert {key: teachers for key, teachers in sums.items() if teachers} == whole


def test_archived_and_departed_teachers_are_in_no_denominator() -> None:
    counted = [
        ("VERIFIED", "ON_DUTY", 40),
        ("PENDING", "ON_DUTY", 3),
        ("VERIFIED", "RETIRED", 5),
        ("PENDING", "LEFT", 1),
        ("RELEASED", "ON_DUTY", 7),
        ("REJECTED", "ON_DUTY", 2),
    ]
    assert counts.summary(counted) == {"teachers": 43, "verified": 40, "waiting": 3, "archived": 6}
    assert counts.summary([]) == {"teachers": 0, "verified": 0, "waiting": 0, "archived": 0}
