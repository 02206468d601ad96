"""Lists and figures: who sees which choices, and that the totals equal them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from services.shared.actor import Role, service_actor
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import (
    CITY,
    DISTRICT,
    FAR_SCHOOL,
    OTHER_SCHOOL,
    SCHOOL,
    Market,
    centre,
    institution,
    school_admin,
)
from tests.conftest import person

CLI = service_actor("cli")


def own(market: Market, actor: Any, **wanted: Any) -> list[str]:
    page = market.learning.call("list_own_choices", wanted, actor)
    return [each["offering"]["course_no"] for each in page["items"]]


def at(market: Market, actor: Any, place: str, **wanted: Any) -> list[str]:
    page = market.learning.call("list_choices", {"place": place, **wanted}, actor)
    return [each["teacher_id"] for each in page["items"]]


def figures(market: Market, actor: Any, place: str, period: dict[str, Any]) -> dict[str, dict[str, Any]]:
    market.learning.service.fold_choices(market.clock.instant)
    wanted = {"place": place, "period_id": period["period_id"]}
    return {each["course_no"]: each for each in market.learning.call("list_choice_statistics", wanted, actor)["items"]}


def test_own_courses_stand_in_buckets(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    for number, charges in enumerate([(), ("BILLED",), ("BILLED", "ADMITTED"), ("UNPAID",)]):
        choice = market.choose(teacher, market.offering(period, course_no=f"C{number}"))
        for version, state in enumerate(charges, start=1):
            market.charge(choice, state, version)
    cancelled = market.choose(teacher, market.offering(period, course_no="C4"))
    market.cancel(teacher, cancelled)
    assert own(market, teacher) == ["C4", "C3", "C2", "C1", "C0"]
    assert own(market, teacher, bucket="SELECTED") == ["C3", "C1", "C0"]
    assert own(market, teacher, bucket="STUDYING") == ["C2"]
    assert own(market, teacher, bucket="OVER") == ["C4"]
    assert own(market, teacher, bucket="PASSED") == []
    assert own(market, market.teacher()) == []


def test_own_courses_are_found_by_title_and_number(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    for number, title in (("GX-100%", "公需科目"), ("ZY_2", "Python 编程")):
        market.choose(teacher, market.offering(period, course_no=number, title=title))
    assert own(market, teacher, search="python") == ["ZY_2"]
    assert own(market, teacher, search="公需") == ["GX-100%"]
    # Signs of a pattern are signs to be found, and nothing more.
    assert own(market, teacher, search="%") == ["GX-100%"]
    assert own(market, teacher, search="_") == ["ZY_2"]


def test_lists_come_by_the_page(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    offerings = [market.offering(period, course_no=f"C{number}") for number in range(5)]
    for offering in offerings:
        market.choose(teacher, offering)
    for method, wanted, actor in (
        ("list_own_choices", {}, teacher),
        ("list_choices", {"place": SCHOOL, "period_id": period["period_id"]}, school_admin()),
    ):
        seen, cursor = [], None
        while True:
            page = market.learning.call(method, {**wanted, "limit": 2, "cursor": cursor}, actor)
            seen += [each["offering"]["course_no"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == [f"C{number}" for number in range(5)]


@pytest.mark.parametrize("cursor", ["", "x", "a b", "a b c", f"{SCHOOL} {new_id()} x", 5])
def test_a_cursor_of_another_list_is_refused(market: Market, cursor: Any) -> None:
    with pytest.raises(InvalidInput):
        market.learning.call("list_choices", {"place": SCHOOL, "cursor": cursor}, school_admin())


def test_everybody_sees_the_choices_of_the_own_territory(market: Market) -> None:
    period = market.period()
    offering = market.offering(period)
    here, there = market.teacher(SCHOOL), market.teacher(FAR_SCHOOL)
    for teacher in (here, there):
        market.choose(teacher, offering)
    wanted = {"period_id": period["period_id"]}
    both = sorted(str(each.account_id) for each in (here, there))
    assert at(market, school_admin(), SCHOOL, **wanted) == [str(here.account_id)]
    assert at(market, person(None, (Role.PRINCIPAL, SCHOOL)), SCHOOL, **wanted) == [str(here.account_id)]
    assert at(market, institution(), DISTRICT, **wanted) == [str(here.account_id)]
    assert sorted(at(market, centre(), CITY, **wanted)) == both
    assert at(market, centre(), CITY, teacher_id=str(there.account_id)) == [str(there.account_id)]
    for actor, place in ((school_admin(), OTHER_SCHOOL), (school_admin(), DISTRICT), (institution(), CITY)):
        with pytest.raises(NotFound):
            at(market, actor, place)
    with pytest.raises(NotAllowed):
        at(market, here, SCHOOL)


def test_a_moved_teacher_s_choices_move_out_of_sight(market: Market) -> None:
    period, teacher = market.period(), market.teacher(SCHOOL)
    market.choose(teacher, market.offering(period))
    market.teacher(FAR_SCHOOL, actor=teacher, version=2)
    wanted = {"period_id": period["period_id"]}
    assert at(market, school_admin(SCHOOL), SCHOOL, **wanted) == []
    assert at(market, school_admin(FAR_SCHOOL), FAR_SCHOOL, **wanted) == [str(teacher.account_id)]


def test_figures_are_kept_by_place_and_equal_the_choices(market: Market) -> None:
    period = market.period()
    first, second = market.offering(period, course_no="A"), market.offering(period, course_no="B")
    here, there = market.teacher(SCHOOL), market.teacher(FAR_SCHOOL)
    for teacher in (here, there):
        market.choose(teacher, first)
    paid = market.choose(here, second)
    market.charge(paid, "ADMITTED", 1)
    market.cancel(there, market.choose(there, second))
    of_city = figures(market, centre(), CITY, period)
    assert (of_city["A"]["chosen"], of_city["B"]["admitted"], of_city["B"]["cancelled"]) == (2, 1, 1)
    of_school = figures(market, school_admin(), SCHOOL, period)
    assert (of_school["A"]["chosen"], of_school["B"]["admitted"], of_school["B"]["cancelled"]) == (1, 1, 0)
    below = {"place": CITY, "period_id": period["period_id"]}
    places = market.learning.call("list_choice_statistics_below", below, centre())["items"]
    assert [(each["place"], each["chosen"]) for each in places] == [(DISTRICT, 1), (FAR_SCHOOL.rpartition("/")[0], 1)]
    assert market.learning.call("reconcile_choices", {}, CLI)["differences"] == []


def test_who_chooses_again_is_no_longer_counted_as_cancelled(market: Market) -> None:
    period = market.period()
    offering, teacher = market.offering(period, course_no="A"), market.teacher(SCHOOL)
    market.cancel(teacher, market.choose(teacher, offering))
    market.teacher(FAR_SCHOOL, actor=teacher, version=2)
    market.choose(teacher, offering)
    of_city = figures(market, centre(), CITY, period)
    assert (of_city["A"]["chosen"], of_city["A"]["cancelled"]) == (1, 0)
    found = market.learning.call("reconcile_choices", {}, CLI)["differences"]
    assert [each for each in found if each["offering_id"] == offering["offering_id"]] == []


def test_the_proof_finds_what_was_counted_wrongly(market: Market) -> None:
    """The twin: a total that somebody changed is found."""
    period, teacher = market.period(), market.teacher()
    offering = market.offering(period)
    market.choose(teacher, offering)
    market.learning.call("reconcile_choices", {}, CLI)
    with market.learning.database.work() as db:
        db.execute(
            sa.text("UPDATE choice_total SET number = 7 WHERE offering_id = :id AND place = :place"),
            {"id": offering["offering_id"], "place": SCHOOL},
        )
    found = market.learning.call("reconcile_choices", {}, CLI)["differences"]
    mine = [each for each in found if each["offering_id"] == offering["offering_id"]]
    assert [(each["place"], each["expected"], each["kept"]) for each in mine] == [(SCHOOL, 1, 7)]
    with market.learning.database.work() as db:
        db.execute(
            sa.text("UPDATE choice_total SET number = 1 WHERE offering_id = :id AND place = :place"),
            {"id": offering["offering_id"], "place": SCHOOL},
        )


def test_seats_are_told_to_whoever_is_signed_in(market: Market) -> None:
    period = market.period()
    offering = market.offering(period, capacity=3)
    market.choose(market.teacher(), offering)
    wanted = {"period_id": period["period_id"]}
    [seats] = market.learning.call("list_seats", wanted, market.teacher())["items"]
    assert (seats["capacity"], seats["taken"]) == (3, 1)
