"""Holds (`domain.md` §3.13): who places and lifts which, and W36."""

from __future__ import annotations

import itertools

import pytest

from services.billing.contract.holds import Blocked, HoldEvidence, HoldKind, HoldState
from services.billing.holds import rules as holds
from services.billing.holds.policy_file import policies
from services.shared.actor import Grant, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed

GUANGZHOU, YUEXIU = "CN/440000/440100", "CN/440000/440100/440104"
KEEPER = {"SPECIAL_USER": "CITY_CENTRE", "CITY_ARREARS": "CITY_CENTRE", "DISTRICT_ARREARS": "DISTRICT_INSTITUTION"}
ID, LETTER = HoldEvidence.ID_DOCUMENT, HoldEvidence.STAMPED_LETTER
STAFF, APPLICATION = HoldEvidence.STAFF_ID, HoldEvidence.STAMPED_APPLICATION


@pytest.mark.parametrize(("kind", "role"), list(itertools.product(HoldKind, Role)))
def test_each_kind_has_one_keeper(kind: HoldKind, role: Role) -> None:
    teacher = f"{YUEXIU}/s1"
    if role == KEEPER[kind]:
        holds.require_keeper(policies()[kind], [Grant(role, YUEXIU)], YUEXIU)
        assert holds.place_of_keeper(policies()[kind], [Grant(role, GUANGZHOU)], teacher) == GUANGZHOU
    else:
        with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
            holds.require_keeper(policies()[kind], [Grant(role, YUEXIU)], YUEXIU)
    with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
        holds.place_of_keeper(policies()[kind], [Grant(role, "CN/440000/440300")], teacher)


def test_w36_the_first_time_an_id_from_the_second_on_a_letter_too() -> None:
    first, second = holds.next_occurrence(0), holds.next_occurrence(1)
    assert (first, second) == (1, 2)
    special = policies()[HoldKind.SPECIAL_USER]
    holds.require_evidence(special, first, [ID])
    holds.require_evidence(special, second, [ID, LETTER])
    holds.require_evidence(special, 7, [ID, LETTER, STAFF])
    for occurrence, shown in ((1, []), (1, [LETTER]), (2, [ID]), (2, [LETTER]), (1, [STAFF, APPLICATION]), (3, [ID])):
        with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
            holds.require_evidence(special, occurrence, shown)


@pytest.mark.parametrize("occurrence", [1, 2, 5])
def test_for_many_at_once_the_schools_own_papers_suffice_and_nothing_less(occurrence: int) -> None:
    special = policies()[HoldKind.SPECIAL_USER]
    holds.require_evidence(special, occurrence, [STAFF, APPLICATION], collectively=True)
    for shown in ([], [STAFF], [APPLICATION], [ID, LETTER]):
        with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
            holds.require_evidence(special, occurrence, shown, collectively=True)


@pytest.mark.parametrize("kind", [HoldKind.CITY_ARREARS, HoldKind.DISTRICT_ARREARS])
def test_arrears_are_settled_by_whoever_keeps_the_books(kind: HoldKind) -> None:
    holds.require_evidence(policies()[kind], 1, [])
    holds.require_evidence(policies()[kind], 3, [])


def test_a_hold_is_lifted_once() -> None:
    holds.require_active(HoldState.ACTIVE)
    with pytest.raises(Conflict, match=r"billing\.hold_lifted"):
        holds.require_active(HoldState.LIFTED)


def test_only_a_special_user_may_not_choose_and_none_who_owes_is_transferred() -> None:
    blocked = {kind: set(policy.blocks) for kind, policy in policies().items()}
    assert blocked == {
        HoldKind.SPECIAL_USER: {Blocked.SELECTION, Blocked.TRANSFER},
        HoldKind.CITY_ARREARS: {Blocked.TRANSFER},
        HoldKind.DISTRICT_ARREARS: {Blocked.TRANSFER},
    }
