"""The time in which a wish to be erased may be taken back, and every refused step."""

import datetime as dt
import itertools

import pytest

from services.identity import contract
from services.identity.person.rules.erasure import COOLING, Act, ErasureState, due_at, next_state
from services.shared.errors import Conflict

ALLOWED = {
    (None, Act.REQUEST): ErasureState.REQUESTED,
    (ErasureState.CANCELLED, Act.REQUEST): ErasureState.REQUESTED,
    (ErasureState.REQUESTED, Act.CANCEL): ErasureState.CANCELLED,
    (ErasureState.REQUESTED, Act.ERASE): ErasureState.DONE,
}


@pytest.mark.parametrize(("state", "act"), [*itertools.product([None, *ErasureState], Act)])
def test_every_transition(state, act):
    if (state, act) in ALLOWED:
        assert next_state(state, act) is ALLOWED[state, act]
    else:
        with pytest.raises(Conflict) as caught:
            next_state(state, act)
        assert caught.value.code in contract.ERRORS


def test_fifteen_days_to_think_it_over():
    asked = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
    assert due_at(asked) - asked == COOLING == dt.timedelta(days=15)
