"""Asking for a school that is missing."""

from __future__ import annotations

import itertools
import uuid

import pytest

from services.org.contract import MembershipState
from services.org.contract.units import RequestState
from services.org.units.rules import requests as rules
from services.org.units.rules.requests import Act
from services.shared.errors import Conflict, NotAllowed

ALLOWED = {
    ("OPEN", "CREATE"): "CREATED",
    ("OPEN", "FIND"): "FOUND",
    ("OPEN", "REJECT"): "REJECTED",
    ("OPEN", "WITHDRAW"): "WITHDRAWN",
}
OTHER = "CN/440000/440100/440104/other"


@pytest.mark.parametrize(("state", "act"), list(itertools.product(RequestState, Act)))
def test_a_request_is_decided_once(state: RequestState, act: Act) -> None:
    if (state, act) in ALLOWED:
        assert rules.next_state(state, act) == ALLOWED[state, act]
    else:
        with pytest.raises(Conflict, match=r"org\.request_decided"):
            rules.next_state(state, act)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("越秀区实验小学", "越秀区 实验小学", True),
        ("第2中学", "第２中学", True),
        ("ABC学校", "abc学校 ", True),
        ("実験（北）小学", "実験(北)小学", True),
        ("实验小学", "实验一小", False),
        ("第二中学", "第2中学", False),
    ],
)
def test_spellings_of_one_school_are_one_request(one: str, other: str, same: bool) -> None:
    assert (rules.name_key(one) == rules.name_key(other)) is same


@pytest.mark.parametrize("state", [None, *MembershipState])
@pytest.mark.parametrize("place", [OTHER, "CN/440000/440100/440104/s1", ""])
def test_who_asks_waits_in_other(state: MembershipState | None, place: str) -> None:
    if (state, place) == (MembershipState.PENDING, OTHER):
        rules.require_waiting_in_other(state, place)
    else:
        with pytest.raises(Conflict, match=r"org\.not_in_other"):
            rules.require_waiting_in_other(state, place)


def test_one_school_at_a_time() -> None:
    rules.require_none_open(0)
    with pytest.raises(Conflict, match=r"org\.request_open"):
        rules.require_none_open(1)


def test_nobody_decides_what_he_asked() -> None:
    me = uuid.uuid4()
    rules.require_other_person({uuid.uuid4()}, me)
    with pytest.raises(NotAllowed, match=r"org\.request_own"):
        rules.require_other_person({me}, me)
