"""The basket: what it shows, and choosing all of it."""

from __future__ import annotations

from typing import Any

import pytest

from services.learning.contract.selection import BASKET_LINES
from services.shared.actor import Actor
from services.shared.errors import Conflict, LimitReached, NotFound
from tests.component.learning.selection.conftest import FAR_SCHOOL, Market


def put(market: Market, actor: Actor, *offerings: dict[str, Any]) -> Any:
    for offering in offerings:
        shown = market.learning.call("put_in_basket", {"offering_id": offering["offering_id"]}, actor)
    return shown


def submit(market: Market, actor: Actor, *offerings: dict[str, Any], key: str | None = None) -> Any:
    wanted = {"offering_ids": [each["offering_id"] for each in offerings]}
    done = market.learning.call("submit_basket", wanted, actor, key)
    return {line["offering_id"]: line["refusal"] for line in done["lines"]}


def basket(market: Market, actor: Actor) -> Any:
    return market.learning.call("get_basket", {}, actor)


def test_it_tells_what_it_costs_and_when_the_window_ends(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    paid = market.offering(period, fee="100.00", material_fee="20.50", hours="18.00")
    public = market.offering(period, fee="50.00", material_fee="30.00", hours="10.00", public_course=True)
    shown = put(market, teacher, paid, public)
    [cost] = shown["basket_costs"]
    # S3:409: training fees and materials, but no material of public courses.
    assert (cost["courses"], cost["hours"], cost["due"], cost["apart"]) == (2, "28.00", "170.50", "30.00")
    assert shown["lines"][0]["closes_in_seconds"] == 5 * 86_400 + 14 * 3_600
    market.choose(teacher, paid)
    shown = basket(market, teacher)
    assert [line["offering"]["offering_id"] for line in shown["lines"]] == [public["offering_id"]]
    assert (shown["basket_costs"][0]["due"], shown["chosen_costs"][0]["due"]) == ("50.00", "120.50")


def test_costs_are_told_by_charging_unit(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    one = market.offering(period)
    other = market.offering(period, charging_unit_id="0190d1a0-0000-7000-8000-000000000001", fee="7.00")
    assert sorted(each["due"] for each in put(market, teacher, one, other)["basket_costs"]) == ["120.00", "27.00"]


def test_each_line_is_decided_by_itself(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    free, full = market.offering(period), market.offering(period, capacity=1)
    market.choose(market.teacher(), full)
    put(market, teacher, full, free)
    assert submit(market, teacher, free, full) == {
        full["offering_id"]: "learning.offering_full",
        free["offering_id"]: "",
    }
    assert [line["refusal"] for line in basket(market, teacher)["lines"]] == ["learning.offering_full"]


def test_submitting_is_idempotent(market: Market) -> None:
    teacher, offering = market.teacher(), market.offering(market.period())
    put(market, teacher, offering)
    first = submit(market, teacher, offering, key="basket-1")
    assert submit(market, teacher, offering, key="basket-1") == first
    assert market.taken(offering) == 1


def test_what_the_teacher_did_not_see_is_not_chosen(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    seen, added = market.offering(period), market.offering(period)
    put(market, teacher, seen, added)
    with pytest.raises(Conflict, match=r"learning.basket_changed"):
        submit(market, teacher, seen)
    assert market.taken(seen) == 0


def test_a_special_user_s_basket_stays_as_it_is(market: Market) -> None:
    teacher, offering = market.teacher(), market.offering(market.period())
    put(market, teacher, offering)
    market.billing.held[str(teacher.account_id)] = ["SELECTION"]
    assert submit(market, teacher, offering) == {offering["offering_id"]: "learning.special_user"}
    assert len(basket(market, teacher)["lines"]) == 1


def test_an_empty_basket_cannot_be_submitted(market: Market) -> None:
    with pytest.raises(Conflict, match=r"learning.basket_empty"):
        submit(market, market.teacher(), market.offering(market.period()))


def test_what_is_not_visible_cannot_be_put_in_and_what_is_in_can_be_taken_out(market: Market) -> None:
    teacher = market.teacher()
    district = market.period(tier="DISTRICT", place_id=FAR_SCHOOL.rpartition("/")[0])
    with pytest.raises(NotFound, match=r"learning.offering_unknown"):
        put(market, teacher, market.offering(district))
    offering = market.offering(market.period())
    put(market, teacher, offering, offering)
    assert len(basket(market, teacher)["lines"]) == 1
    for _ in range(2):
        shown = market.learning.call("take_from_basket", {"offering_id": offering["offering_id"]}, teacher)
        assert shown["lines"] == []


def test_a_basket_has_an_end(market: Market) -> None:
    period, teacher = market.period(), market.teacher()
    put(market, teacher, *(market.offering(period) for _ in range(BASKET_LINES)))
    with pytest.raises(LimitReached, match=r"learning.basket_full"):
        put(market, teacher, market.offering(period))


def test_a_course_may_wait_in_the_basket_for_the_window(market: Market) -> None:
    teacher, offering = market.teacher(), market.offering(market.period())
    market.at("2023-02-20T08:00:00+08:00")
    assert put(market, teacher, offering)["lines"][0]["refusal"] == "learning.selection_not_open"
    assert submit(market, teacher, offering) == {offering["offering_id"]: "learning.selection_not_open"}
