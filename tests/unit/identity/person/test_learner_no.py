"""Learner numbers: their form, their check digit (ISO 7064 MOD 11,10), and that they are nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.person.rules.learner_no import BODY, check_digit, is_learner_no, learner_no, normalised
from services.identity.rules.contact import is_mainland_mobile

bodies = st.integers(BODY.start, BODY.stop - 1)


@pytest.mark.parametrize(("body", "digit"), [("0794", "5"), ("100000000000", "7")])
def test_check_digits(body, digit):
    # 0794 -> 5 is the standard's own example.
    assert check_digit(body) == digit


@given(bodies)
def test_every_number_is_well_formed(body):
    number = learner_no(body)
    assert is_learner_no(number)
    assert len(number) == 13
    assert not is_mainland_mobile(number)


@given(bodies, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_seen(body, position, shift):
    number = learner_no(body)
    digit = (int(number[position]) + shift) % 10
    assert not is_learner_no(f"{number[:position]}{digit}{number[position + 1 :]}")


@pytest.mark.parametrize(
    "text", ["", "1", "0000000000000", "1000000000001", "1" * 14, "１００００００００００００", "abc"]
)
def test_what_is_no_learner_number(text):
    assert not is_learner_no(text)


@pytest.mark.parametrize("typed", [" 1000000000000 ", "1000 0000 0000 0", "１０００００００00000", "1000-0000-0000-0"])
def test_the_usual_ways_to_type_one(typed):
    assert normalised(typed) == "1000000000000"


def test_the_contract_tells_the_same_form():
    import re

    from services.identity.contract.person import LEARNER_NO_FORM

    assert re.fullmatch(LEARNER_NO_FORM, learner_no(BODY.start))
