"""Authority codes: their form, their life, and who may not use them."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.org.contract.delegation import CodeState
from services.org.delegation.rules import codes as rules
from services.org.delegation.rules.codes import ALPHABET, Act
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
SYMBOLS = st.lists(st.integers(0, 30), min_size=17, max_size=17)


def test_a_code_holds_at_least_eighty_bits_and_no_symbol_that_looks_like_another() -> None:
    assert rules.RANDOM_SYMBOLS * math.log2(len(ALPHABET)) > 84
    assert len(set(ALPHABET)) == 31
    assert not set("01OIL") & set(ALPHABET)


@given(SYMBOLS)
def test_a_code_is_read_as_it_was_made(symbols: list[int]) -> None:
    code = rules.compose(symbols)
    shown = rules.show(code)
    assert len(shown) == 20
    assert shown.count("-") == 2
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in code)
    for typed in (code, shown, shown.lower(), f"  {shown.replace('-', ' ')}\n", full_width, shown.replace("-", "—")):
        assert rules.read(typed) == code


@given(SYMBOLS, st.integers(0, 17), st.integers(1, 30))
def test_one_wrong_symbol_is_noticed(symbols: list[int], position: int, shift: int) -> None:
    code = rules.compose(symbols)
    wrong = ALPHABET[(ALPHABET.index(code[position]) + shift) % 31]
    with pytest.raises(InvalidInput, match=r"org\.code_mistyped"):
        rules.read(code[:position] + wrong + code[position + 1 :])


@given(SYMBOLS, st.integers(0, 17), st.integers(0, 17))
def test_two_symbols_that_changed_places_are_noticed(symbols: list[int], first: int, second: int) -> None:
    code = list(rules.compose(symbols))
    assume(code[first] != code[second])
    code[first], code[second] = code[second], code[first]
    with pytest.raises(InvalidInput, match=r"org\.code_mistyped"):
        rules.read("".join(code))


@pytest.mark.parametrize("typed", ["", "-", "ABCDEF", "0" * 18, "O" * 18, "2" * 17, "2" * 19, "校长" * 9, "\0" * 18])
def test_what_can_be_no_code(typed: str) -> None:
    with pytest.raises(InvalidInput, match=r"org\.code_mistyped"):
        rules.read(typed)


LISTED = {
    (None, Act.GENERATE): CodeState.ISSUED,
    (None, Act.PROPOSE): CodeState.PROPOSED,
    (CodeState.PROPOSED, Act.APPROVE): CodeState.ISSUED,
    (CodeState.PROPOSED, Act.VOID): CodeState.VOID,
    (CodeState.PROPOSED, Act.REVOKE): CodeState.VOID,
    (CodeState.ISSUED, Act.DELIVER): CodeState.ISSUED,
    (CodeState.ISSUED, Act.ACTIVATE): CodeState.ACTIVATED,
    (CodeState.ISSUED, Act.VOID): CodeState.VOID,
    (CodeState.ISSUED, Act.REVOKE): CodeState.VOID,
    (CodeState.ACTIVATED, Act.REVOKE): CodeState.REVOKED,
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product([None, *CodeState], Act)))
def test_every_transition(state: CodeState | None, act: Act) -> None:
    if (state, act) in LISTED:
        assert rules.next_state(state, act) is LISTED[state, act]
    elif act is Act.ACTIVATE:
        with pytest.raises(InvalidInput, match=r"org\.code_refused"):
            rules.next_state(state, act)
    else:
        with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
            rules.next_state(state, act)


def test_an_expired_code_is_refused_like_an_unknown_one() -> None:
    rules.require_fresh(NOW + dt.timedelta(microseconds=1), NOW)
    with pytest.raises(InvalidInput) as expired:
        rules.require_fresh(NOW, NOW)
    assert (expired.value.code, expired.value.field) == (rules.refused().code, rules.refused().field)


@pytest.mark.parametrize("role", Role)
def test_which_roles_are_given_by_code(role: Role) -> None:
    by_code = {Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.PROVINCE_ADMIN, Role.SUPER_ADMIN}
    if role in by_code:
        rules.require_code_role(role)
    else:
        with pytest.raises(InvalidInput, match=r"org\.code_role"):
            rules.require_code_role(role)


def test_nobody_activates_what_he_issued_or_approved() -> None:
    one, second, other = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    rules.require_other_issuer(one, None, other)
    rules.require_other_issuer(one, second, other)
    for issuer, approver in ((one, None), (one, second), (second, one)):
        with pytest.raises(NotAllowed, match=r"org\.code_own"):
            rules.require_other_issuer(issuer, approver, one)
