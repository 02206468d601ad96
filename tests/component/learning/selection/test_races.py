"""Many at once: no seat is sold twice, and nobody slips in behind the announced end. Each with its sabotage twin."""

from __future__ import annotations

import concurrent.futures
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.learning.selection.actions import choosing, closing
from services.shared.actor import Actor
from services.shared.errors import Conflict, ServiceError
from tests.component.learning.selection.conftest import ENDS, Market

THREADS = 12


def at_once(acts: list[Callable[[], Any]]) -> list[str]:
    """Run all, as many at a time as there are connections; what each came to: its state, or the code of its refusal."""
    barrier = threading.Barrier(THREADS)

    def run(mine: list[Callable[[], Any]]) -> list[str]:
        barrier.wait()
        return [_outcome(act) for act in mine]

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        shares = [acts[each::THREADS] for each in range(THREADS)]
        return [outcome for share in pool.map(run, shares) for outcome in share]


def _outcome(act: Callable[[], Any]) -> str:
    try:
        return str(act()["state"])
    except ServiceError as error:
        return error.code


def holders(market: Market, offering: dict[str, Any]) -> int:
    return market.count(
        "SELECT count(*) FROM choice WHERE offering_id = :id AND state = 'CHOSEN'", id=offering["offering_id"]
    )


def rush(market: Market, capacity: int, number: int) -> tuple[dict[str, Any], list[str]]:
    offering = market.offering(market.period(), capacity=capacity)
    teachers = [market.teacher() for _ in range(number)]
    # Half of them press the button twice.
    pressed = [*teachers, *teachers[::2]]
    return offering, at_once([lambda who=who: market.choose(who, offering) for who in pressed])


def test_a_rush_admits_exactly_as_many_as_there_are_seats(market: Market) -> None:
    offering, outcomes = rush(market, capacity=25, number=100)
    assert holders(market, offering) == market.taken(offering) == 25
    assert set(outcomes) == {"CHOSEN", "learning.offering_full"}
    told = market.told("learning.choice_changed", offering_id=offering["offering_id"])
    assert len(told) == 25


def take_after_all_have_looked(market: Market, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everybody sees the one seat free before anybody takes it."""
    looked = threading.Barrier(THREADS, timeout=20)
    honest = choosing.rules.choice_refusal

    def after_all_have_looked(*given: Any, **more: Any) -> str:
        refusal = honest(*given, **more)
        looked.wait()
        return refusal

    monkeypatch.setattr(choosing.rules, "choice_refusal", after_all_have_looked)
    offering = market.offering(market.period(), capacity=1)
    teachers = [market.teacher() for _ in range(THREADS)]
    at_once([lambda who=who: market.choose(who, offering) for who in teachers])
    return offering


def test_sabotage_counting_before_taking_oversells(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the condition in the statement that takes the seat, the look before it is not enough."""
    unconditional = choosing._TAKE.replace("AND (capacity IS NULL OR taken < capacity)", "")
    assert unconditional != choosing._TAKE
    monkeypatch.setattr(choosing, "_TAKE", unconditional)
    offering = take_after_all_have_looked(market, monkeypatch)
    assert holders(market, offering) > 1


def test_the_look_and_the_taking_in_the_same_order_hold_with_the_condition(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same schedule as the sabotage, with the statement as it is."""
    offering = take_after_all_have_looked(market, monkeypatch)
    assert holders(market, offering) == market.taken(offering) == 1


def test_seats_go_back_and_forth_and_none_is_lost(market: Market) -> None:
    offering = market.offering(market.period(), capacity=5)

    def walk(who: Actor) -> Any:
        try:
            choice = market.choose(who, offering)
        except Conflict:
            return {"state": "FULL"}
        return market.cancel(who, choice)

    at_once([lambda who=who: walk(who) for who in [market.teacher() for _ in range(60)]])
    assert holders(market, offering) == market.taken(offering) == 0


def choose_while_closing(market: Market, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One teacher has passed every check when the window ends and is closed; then she takes her seat."""
    offering, teacher = market.offering(market.period()), market.teacher()
    checked, closed = threading.Event(), threading.Event()
    honest = choosing.rules.choice_refusal

    def wait_for_the_end(*given: Any, **more: Any) -> str:
        refusal = honest(*given, **more)
        checked.set()
        # The closing waits for this transaction where the gate holds; without it, it is over at once.
        closed.wait(timeout=2)
        return refusal

    monkeypatch.setattr(choosing.rules, "choice_refusal", wait_for_the_end)

    def close() -> None:
        checked.wait()
        with market.learning.database.work() as db:
            closing.close_period(db, uuid.UUID(offering["period_id"]), ENDS)
        closed.set()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        choosing_now = pool.submit(_outcome, lambda: market.choose(teacher, offering))
        pool.submit(close).result()
        choosing_now.result()
    [announced] = market.told("learning.selection_closed", period_id=offering["period_id"])
    return {"announced": announced["choices"], "chosen": holders(market, offering)}


def test_nobody_slips_in_behind_the_announced_end(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_while_closing(market, monkeypatch) == {"announced": 1, "chosen": 1}


def test_sabotage_without_the_gate_somebody_does(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing.queries, "shut", lambda *_: None)
    monkeypatch.setattr(
        choosing, "_TAKE", choosing._TAKE.replace("FROM closed_period WHERE", "FROM closed_period WHERE false AND")
    )
    assert choose_while_closing(market, monkeypatch) == {"announced": 0, "chosen": 1}


def test_a_period_is_closed_once_and_stays_closed(market: Market) -> None:
    period = market.period()
    offering, teacher = market.offering(period), market.teacher()
    choice = market.choose(teacher, offering)
    market.cancel(teacher, market.choose(market.teacher(), offering) and choice)
    market.at("2023-03-10T23:59:59+08:00")
    market.close()
    assert market.told("learning.selection_closed", period_id=period["period_id"]) == []
    market.at("2023-03-11T00:00:00+08:00")
    market.close()
    market.close()
    [closed] = market.told("learning.selection_closed", period_id=period["period_id"])
    assert closed == {"period_id": period["period_id"], "choices": 1, "versions": 3}
    # A longer window that is told too late opens nothing.
    market.period(period_id=period["period_id"], version=2, selects_until="2023-04-01T00:00:00+08:00")
    assert _outcome(lambda: market.choose(market.teacher(), offering)) == "learning.selection_over"


def test_a_window_that_was_moved_in_time_is_not_closed(market: Market) -> None:
    period = market.period()
    market.period(period_id=period["period_id"], version=2, selects_until="2023-04-01T00:00:00+08:00")
    market.at("2023-03-11T00:00:00+08:00")
    market.close()
    assert market.told("learning.selection_closed", period_id=period["period_id"]) == []
    assert market.choose(market.teacher(), market.offering(period))["state"] == "CHOSEN"
