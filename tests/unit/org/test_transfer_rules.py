"""Transfers (`domain.md` §3.3): every state and step, who decides at which level, W35."""

from __future__ import annotations

import itertools
import uuid

import pytest

from services.billing.contract.holds import Blocked, HoldKind
from services.org.contract import Level
from services.org.contract.transfers import TransferLevel, TransferState
from services.org.transfers.rules import transfer
from services.org.transfers.rules.transfer import Step
from services.shared.actor import Grant, Role
from services.shared.errors import Conflict, NotAllowed

YUEXIU, HAIZHU = "CN/440000/440100/440104", "CN/440000/440100/440105"
LISTED = {("PENDING", "APPROVE"): "APPROVED", ("PENDING", "REJECT"): "REJECTED", ("PENDING", "WITHDRAW"): "WITHDRAWN"}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(TransferState, Step)))
def test_every_pair_of_state_and_step(state: TransferState, step: Step) -> None:
    if (state, step) in LISTED:
        assert transfer.next_state(state, step) == LISTED[state, step]
        return
    with pytest.raises(Conflict, match=r"org\.transfer_decided"):
        transfer.next_state(state, step)


@pytest.mark.parametrize(
    ("one", "other", "above"),
    [
        (f"{YUEXIU}/s1", f"{YUEXIU}/s2", YUEXIU),
        (f"{YUEXIU}/s1", f"{HAIZHU}/s2", "CN/440000/440100"),
        (f"{YUEXIU}/s1", "CN/440000/440100/s2", "CN/440000/440100"),  # city-direct
        (f"{YUEXIU}/s1", "CN/440000/440300/440304/s2", "CN/440000"),
        (f"{YUEXIU}/s1", "CN/440000/s2", "CN/440000"),  # province-direct
        (f"{YUEXIU}/s1", "CN/110000/110101/s2", "CN"),
        ("CN/410000/419001/s1", "CN/410000/419001/s2", "CN/410000/419001"),  # a county directly under its province
        ("CN/440000/441900/s1", "CN/440000/441900/s2", "CN/440000/441900"),  # a city without counties
        # Two siblings whose codes begin alike have nothing more in common for that.
        ("CN/440000/440100/s1", "CN/440000/440100/440104/s2", "CN/440000/440100"),
    ],
)
def test_the_lowest_place_above_both_schools(one: str, other: str, above: str) -> None:
    assert transfer.place_above_both(one, other) == above
    assert transfer.place_above_both(other, one) == above


# `domain.md` §1.2, columns A5 to A13: who approves a transfer at which level.
DECIDES = {
    "DISTRICT": {"COUNTY_ADMIN", "DISTRICT_INSTITUTION"},
    "CITY": {"CITY_ADMIN", "CITY_CENTRE"},
    "PROVINCE": {"PROVINCE_ADMIN"},
    "NATION": {"NATIONAL_OPERATOR"},
}


@pytest.mark.parametrize(("level", "role"), list(itertools.product(TransferLevel, Role)))
def test_who_decides_at_which_level(level: TransferLevel, role: Role) -> None:
    place = YUEXIU
    if role in DECIDES[level]:
        transfer.require_approver([Grant(role, place)], level, place)
        with pytest.raises(NotAllowed, match=r"org\.transfer_other_level"):
            transfer.require_approver([Grant(role, HAIZHU)], level, place)
        return
    with pytest.raises(NotAllowed, match=r"org\.transfer_other_level"):
        transfer.require_approver([Grant(role, place)], level, place)


def test_every_stored_level_but_the_schools_own_decides_something() -> None:
    assert {transfer.level_at(level) for level in Level if level is not Level.SCHOOL} == set(TransferLevel)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), ""),
        ((HoldKind.SPECIAL_USER,), "org.transfer_special_user"),
        ((HoldKind.CITY_ARREARS,), "org.transfer_arrears"),
        ((HoldKind.DISTRICT_ARREARS,), "org.transfer_arrears"),
        ((HoldKind.DISTRICT_ARREARS, HoldKind.SPECIAL_USER), "org.transfer_special_user"),
    ],
)
def test_w35_whoever_owes_or_is_a_special_user_is_not_transferred(kinds: tuple[HoldKind, ...], code: str) -> None:
    holds = [transfer.Held(kind, frozenset({Blocked.TRANSFER})) for kind in kinds]
    assert transfer.refusal_for(holds) == code
    if not code:
        transfer.require_no_holds(holds)
        return
    with pytest.raises(Conflict) as refused:
        transfer.require_no_holds(holds)
    assert refused.value.code == code


def test_a_hold_that_keeps_from_other_things_does_not_stop_a_transfer() -> None:
    transfer.require_no_holds([transfer.Held(HoldKind.SPECIAL_USER, frozenset({Blocked.SELECTION}))])


def test_nobody_decides_his_own() -> None:
    decider, teacher = uuid.uuid4(), uuid.uuid4()
    transfer.require_other_hands(decider, str(uuid.uuid4()), teacher)
    with pytest.raises(NotAllowed, match=r"org\.transfer_own_request"):
        transfer.require_other_hands(decider, str(decider), teacher)
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        transfer.require_other_hands(teacher, str(uuid.uuid4()), teacher)


def test_the_same_school_is_no_transfer() -> None:
    here = uuid.uuid4()
    transfer.require_other_school(here, uuid.uuid4())
    with pytest.raises(Conflict, match=r"org\.transfer_same_school"):
        transfer.require_other_school(here, here)
