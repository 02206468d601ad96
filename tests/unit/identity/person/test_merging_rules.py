"""Who may be merged with whom, and how a merge moves on."""

import datetime as dt
import itertools

import pytest

from services.identity import contract
from services.identity.person.rules.merging import (
    Act,
    Candidate,
    MergeState,
    Side,
    is_undoable,
    merge_problem,
    next_state,
    proof_problem,
)
from services.shared.errors import Conflict

ALLOWED = {
    (MergeState.PROPOSED, Act.APPROVE): MergeState.MERGED,
    (MergeState.PROPOSED, Act.REJECT): MergeState.REJECTED,
    (MergeState.PROPOSED, Act.WITHDRAW): MergeState.WITHDRAWN,
    (MergeState.MERGED, Act.UNDO): MergeState.UNDONE,
    (MergeState.MERGED, Act.SETTLE): MergeState.SETTLED,
}


def test_the_contract_tells_the_same_value_sets():
    assert tuple(MergeState) == contract.person.MERGE_STATES
    assert tuple(Side) == contract.person.MERGE_SIDES


@pytest.mark.parametrize(("state", "act"), [*itertools.product(MergeState, Act)])
def test_every_transition(state, act):
    if (state, act) in ALLOWED:
        assert next_state(state, act) is ALLOWED[state, act]
    else:
        with pytest.raises(Conflict) as caught:
            next_state(state, act)
        assert caught.value.code in contract.ERRORS


def candidate(**changes):
    good = {"state": "ACTIVE", "holds_grants": False, "stands_for_others": False, "name_key": "张三"}
    return Candidate(**{**good, **changes})


@pytest.mark.parametrize(
    ("kept", "merged", "problem"),
    [
        ({}, {}, ""),
        ({"stands_for_others": True}, {}, ""),
        ({"holds_grants": True}, {}, ""),
        ({}, {"stands_for_others": True}, "identity.merge_chain"),
        ({}, {"holds_grants": True}, "identity.merge_holds_grants"),
        ({"state": "MERGED"}, {}, "identity.merge_not_living"),
        ({}, {"state": "ERASED"}, "identity.merge_not_living"),
        ({}, {"name_key": "李四"}, "identity.merge_names_differ"),
        ({}, {"name_key": ""}, ""),
        ({"name_key": ""}, {}, ""),
    ],
)
def test_who_may_be_merged(kept, merged, problem):
    assert merge_problem(candidate(**kept), candidate(**merged)) == problem


A, B = ("RESIDENT_ID", "11010519491231002X"), ("PASSPORT", "E1234567")


@pytest.mark.parametrize(
    ("shown", "kept", "merged", "document_of", "problem"),
    [
        (A, A, B, Side.KEPT, ""),
        (B, A, B, Side.MERGED, ""),
        (B, A, B, Side.KEPT, "identity.merge_proof"),
        (A, A, B, Side.MERGED, "identity.merge_proof"),
        (A, A, ("", ""), Side.KEPT, ""),
        (A, ("", ""), A, Side.MERGED, ""),
        (A, ("", ""), A, Side.KEPT, "identity.merge_proof"),
        (("", ""), ("", ""), A, Side.KEPT, "identity.merge_proof"),
    ],
)
def test_the_document_shown_is_the_one_that_stays(shown, kept, merged, document_of, problem):
    assert proof_problem(shown, kept, merged, document_of) == problem


def test_a_merge_can_be_undone_for_thirty_days():
    decided_at = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
    assert is_undoable(decided_at, decided_at + dt.timedelta(days=30) - dt.timedelta(seconds=1))
    assert not is_undoable(decided_at, decided_at + dt.timedelta(days=30))
