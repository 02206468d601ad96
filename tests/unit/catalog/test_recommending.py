"""Which courses are recommended, in which order, and why; who sees a district's."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.catalog.contract.courses import HourType
from services.catalog.contract.periods import Tier
from services.catalog.contract.shelf import Reason
from services.catalog.shelf import rules
from services.catalog.shelf.rules import Candidate
from services.shared.actor import ANONYMOUS, Actor, Grant, Kind, Role

CITY = "CN/440000/440100"
YUEXIU, HAIZHU = f"{CITY}/440104", f"{CITY}/440105"
NO_GAP: dict[HourType, Decimal] = {}


def course(number: int, **changes: Any) -> Candidate:
    facts: dict[str, Any] = {
        "hour_type": HourType.PROFESSIONAL,
        "hours": Decimal(18),
        "subjects": (),
        "segments": (),
        **changes,
    }
    return Candidate(uuid.UUID(int=number), uuid.UUID(int=1000 + number), **facts)


def recommend(*courses: Candidate, gaps: dict[HourType, Decimal] = NO_GAP, segment: str = "", subject: str = "",
              taken: tuple[uuid.UUID, ...] = ()) -> list[tuple[int, tuple[Reason, ...]]]:  # fmt: skip
    found = rules.recommend(courses, gaps, segment, subject, taken)
    return [(each.offering_id.int, each.reasons) for each in found]


def test_missing_hours_come_before_everything() -> None:
    public, liked = course(1, hour_type=HourType.PUBLIC), course(2, subjects=("语文",), chosen=900, score=Decimal(5))
    found = recommend(public, liked, gaps={HourType.PUBLIC: Decimal(18)}, subject="语文")
    assert found == [
        (1, (Reason.HOURS_MISSING,)),
        (2, (Reason.SUBJECT, Reason.RATED, Reason.POPULAR)),
    ]


def test_the_larger_gap_comes_first_and_one_gap_does_not_take_the_whole_shelf() -> None:
    professional = [course(number, hours=Decimal(20)) for number in range(1, 11)]
    public = [course(number, hour_type=HourType.PUBLIC) for number in (21, 22)]
    gaps = {HourType.PROFESSIONAL: Decimal(42), HourType.PUBLIC: Decimal(18)}
    found = [number for number, _ in recommend(*professional, *public, gaps=gaps)]
    assert len(found) == 8
    # Three of twenty hours fill 42, one of eighteen fills 18; only then more of the same.
    assert found[:4] == [10, 9, 8, 22]


def test_a_gap_that_is_filled_is_no_reason() -> None:
    assert recommend(course(1), gaps={HourType.PROFESSIONAL: Decimal(0)}) == [(1, (Reason.NEW,))]


def test_courses_for_others_are_left_out() -> None:
    chinese, maths = course(1, subjects=("语文",)), course(2, subjects=("数学",))
    primary, high = course(3, segments=("PRIMARY",)), course(4, segments=("HIGH",))
    found = recommend(chinese, maths, primary, high, segment="PRIMARY", subject="语文")
    assert {number for number, _ in found} == {1, 3}
    # Of whom nothing is known, nothing is kept back.
    assert {number for number, _ in recommend(chinese, maths, primary, high)} == {1, 2, 3, 4}


def test_what_was_chosen_already_is_not_recommended() -> None:
    again = course(1)
    assert recommend(again, course(2), taken=(again.course_id,)) == [(2, (Reason.NEW,))]


def test_few_reasons_of_the_own_are_filled_up_to_five() -> None:
    own, others = course(1, subjects=("语文",)), [course(number, chosen=number) for number in range(2, 20)]
    found = recommend(own, *others, subject="语文")
    assert [number for number, _ in found] == [1, 19, 18, 17, 16]
    assert found[1][1] == (Reason.POPULAR,)


def test_colleagues_are_a_reason() -> None:
    assert recommend(course(1, peers=3), subject="语文") == [(1, (Reason.PEERS,))]


_courses = st.builds(
    Candidate,
    st.uuids(),
    st.uuids(),
    st.sampled_from(list(HourType)),
    st.decimals(1, 60, places=1),
    st.lists(st.sampled_from(["语文", "数学"]), unique=True).map(tuple),
    st.lists(st.sampled_from(["PRIMARY", "HIGH"]), unique=True).map(tuple),
    st.integers(0, 99),
    st.integers(0, 9),
    st.decimals(0, 5, places=2),
)
_gaps = st.dictionaries(st.sampled_from(list(HourType)), st.decimals(0, 90, places=1))


@given(st.lists(_courses, unique_by=lambda each: each.offering_id), _gaps, st.sampled_from(["", "PRIMARY"]), st.data())
def test_the_shelf_holds_five_to_eight_in_a_fixed_order_each_with_a_reason(
    courses: list[Candidate], gaps: dict[HourType, Decimal], segment: str, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(courses))
    found = rules.recommend(courses, gaps, segment, "语文", ())
    assert found == rules.recommend(shuffled, gaps, segment, "语文", ())
    fitting = [each for each in courses if rules._fits(each, segment, "语文")]
    assert min(5, len(fitting)) <= len(found) <= 8
    assert len({each.offering_id for each in found}) == len(found)
    assert all(each.reasons for each in found)


# --- who sees what ---------------------------------------------------------------------------------------------------------


def teacher(place: str, *grants: tuple[Role, str]) -> Actor:
    return Actor(Kind.PERSON, uuid.uuid4(), "TEACHER", tuple(Grant(*each) for each in grants), place=place)


def test_a_districts_courses_are_seen_there_only() -> None:
    for actor, sees in (
        (ANONYMOUS, False),
        (teacher(""), False),
        (teacher(f"{YUEXIU}/s1"), True),
        (teacher(f"{HAIZHU}/s1"), False),
        (teacher(f"{CITY}/s1"), False),  # a unit attached to the city stands in no district
        (teacher("", (Role.DISTRICT_INSTITUTION, YUEXIU)), True),
        (teacher("", (Role.SCHOOL_ADMIN, f"{YUEXIU}/s1")), True),
        (teacher("", (Role.CITY_CENTRE, CITY)), True),
        (teacher("", (Role.DISTRICT_INSTITUTION, HAIZHU)), False),
        (teacher("", (Role.COUNTY_ADMIN, "CN/440000/440100/4401040")), False),  # a longer name is another place
    ):
        assert rules.is_seen(Tier.DISTRICT, YUEXIU, actor) is sees, actor
        assert rules.is_seen(Tier.CITY, CITY, actor)


def test_an_audience_takes_in_whom_it_names() -> None:
    school = uuid.uuid4()
    place = f"{YUEXIU}/s{school.hex}"
    empty: dict[str, list[str]] = {"segments": [], "subjects": [], "place_ids": [], "school_ids": []}
    for audience, fits in (
        ({}, True),
        ({"segments": ["PRIMARY"]}, True),
        ({"segments": ["HIGH"]}, False),
        ({"subjects": ["数学"]}, False),
        ({"place_ids": [HAIZHU, YUEXIU]}, True),
        ({"place_ids": [HAIZHU]}, False),
        ({"school_ids": [str(school)]}, True),
        ({"school_ids": [str(uuid.uuid4())]}, False),
    ):
        assert rules.is_for({**empty, **audience}, "PRIMARY", "语文", place) is fits, audience
