"""States of a declaration: each transition that is listed, and every other refused."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from services.credits.contract.declarations import DeclarationState as State
from services.credits.declarations import rules
from services.credits.declarations.rules import Act
from services.shared.errors import Conflict, InvalidInput, NotAllowed
from services.shared.ids import new_id

TODAY = dt.date(2023, 11, 20)


@pytest.mark.parametrize(("state", "act"), list(itertools.product(State, Act)))
def test_whatever_is_not_listed_is_refused(state, act):
    if (state, act) in rules.TRANSITIONS:
        assert rules.next_state(state, act) is rules.TRANSITIONS[state, act]
    else:
        with pytest.raises(Conflict, match="declaration_state"):
            rules.next_state(state, act)


def test_nothing_leaves_what_has_ended_but_a_voiding():
    assert {act for state, act in rules.TRANSITIONS if state in (State.WITHDRAWN, State.VOIDED)} == set()
    assert {act for state, act in rules.TRANSITIONS if state is State.APPROVED} == {Act.VOID}


def test_nobody_reviews_the_own_one_nor_twice():
    teacher, reviewer = new_id(), new_id()
    rules.require_reviewer(reviewer, teacher, [new_id()])
    with pytest.raises(NotAllowed, match="declaration_own"):
        rules.require_reviewer(teacher, teacher)
    with pytest.raises(NotAllowed, match="declaration_same_reviewer"):
        rules.require_reviewer(reviewer, teacher, [reviewer])


@pytest.mark.parametrize(
    ("year", "started", "ended", "hours", "code"),
    [
        (2023, "2023-10-01", "2023-10-03", "12", None),
        (2022, "2022-12-20", "2022-12-31", "0.01", None),
        (2023, "2022-12-28", "2023-01-03", "500", None),  # by the day on which it ended
        (2021, "2021-10-01", "2021-10-03", "12", "declaration_year"),
        (2024, "2024-01-01", "2024-01-02", "12", "declaration_year"),
        (2023, "2022-12-28", "2022-12-31", "12", "declaration_dates"),
        (2023, "2023-11-20", "2023-11-21", "12", "declaration_dates"),
        (2023, "2023-10-03", "2023-10-01", "12", "declaration_dates"),
        (2023, "2023-10-01", "2023-10-03", "0", "declaration_hours"),
        (2023, "2023-10-01", "2023-10-03", "500.01", "declaration_hours"),
    ],
)
def test_what_may_be_declared(year, started, ended, hours, code):
    given = (year, dt.date.fromisoformat(started), dt.date.fromisoformat(ended), Decimal(hours), TODAY)
    if code is None:
        rules.require_declarable(*given)
    else:
        with pytest.raises(InvalidInput, match=code):
            rules.require_declarable(*given)
