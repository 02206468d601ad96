"""Which change goes where, and how a reviewed profile moves on (`domain.md` §3.2)."""

import itertools

import pytest

from services.identity import contract
from services.identity.person.rules.review import (
    FREE,
    KEYS,
    REVIEWED,
    Act,
    ReviewState,
    Way,
    after_membership,
    next_state,
    way_of_change,
)
from services.shared.errors import Conflict

STATES = ["", "PENDING", "REJECTED", "RELEASED"]
DOUBLE = pytest.mark.parametrize("required", [True, False])


def test_the_contract_tells_the_same_states():
    assert tuple(ReviewState) == contract.person.PROFILE_STATES


def test_every_field_is_reviewed_or_free_never_both():
    assert not set(FREE) & set(REVIEWED)
    assert set(KEYS) < set(REVIEWED)


@DOUBLE
@pytest.mark.parametrize("membership", [*STATES, "VERIFIED"])
@pytest.mark.parametrize("state", ReviewState)
@pytest.mark.parametrize("field", FREE)
def test_mail_address_and_nickname_are_nobodys_business(field, state, membership, required):
    assert way_of_change(field, membership, state, required=required) == (Way.LIVE, "")


@DOUBLE
@pytest.mark.parametrize("membership", STATES)
@pytest.mark.parametrize("state", ReviewState)
@pytest.mark.parametrize("field", REVIEWED)
def test_before_a_school_vouches_everything_counts_at_once(field, state, membership, required):
    assert way_of_change(field, membership, state, required=required) == (Way.LIVE, "")


@DOUBLE
@pytest.mark.parametrize("field", REVIEWED)
def test_what_was_reopened_or_returned_waits_for_the_review(field, required):
    assert way_of_change(field, "VERIFIED", ReviewState.EDITABLE, required=required) == (Way.DRAFT, "")


@DOUBLE
@pytest.mark.parametrize("field", REVIEWED)
def test_what_is_under_review_does_not_change(field, required):
    way, problem = way_of_change(field, "VERIFIED", ReviewState.SUBMITTED, required=required)
    assert (way, problem) == (Way.REFUSED, "identity.profile_submitted")


@DOUBLE
@pytest.mark.parametrize("field", KEYS)
def test_name_and_number_of_a_verified_teacher_are_locked(field, required):
    way, problem = way_of_change(field, "VERIFIED", ReviewState.CONFIRMED, required=required)
    assert (way, problem) == (Way.REFUSED, "identity.profile_locked")


@pytest.mark.parametrize("field", sorted(set(REVIEWED) - set(KEYS)))
def test_the_rest_of_a_confirmed_profile_is_open_where_no_review_is_asked(field):
    assert way_of_change(field, "VERIFIED", ReviewState.CONFIRMED, required=False) == (Way.LIVE, "")
    assert way_of_change(field, "VERIFIED", ReviewState.CONFIRMED, required=True) == (
        Way.REFUSED,
        "identity.profile_confirmed",
    )


ALLOWED = {
    (ReviewState.EDITABLE, Act.SUBMIT): ReviewState.SUBMITTED,
    (ReviewState.SUBMITTED, Act.CONFIRM): ReviewState.CONFIRMED,
    (ReviewState.SUBMITTED, Act.RETURN): ReviewState.EDITABLE,
    (ReviewState.CONFIRMED, Act.REOPEN): ReviewState.EDITABLE,
}


@pytest.mark.parametrize(("state", "act"), [*itertools.product(ReviewState, Act)])
def test_every_transition(state, act):
    if (state, act) in ALLOWED:
        assert next_state(state, act) is ALLOWED[state, act]
    else:
        with pytest.raises(Conflict) as caught:
            next_state(state, act)
        assert caught.value.code in contract.ERRORS


@pytest.mark.parametrize(
    ("before", "after", "state", "expected"),
    [
        ("PENDING", "VERIFIED", ReviewState.EDITABLE, ReviewState.CONFIRMED),
        ("", "VERIFIED", ReviewState.EDITABLE, ReviewState.CONFIRMED),
        # Moved from school to school: what one has under way the other finishes.
        ("VERIFIED", "VERIFIED", ReviewState.SUBMITTED, ReviewState.SUBMITTED),
        ("VERIFIED", "VERIFIED", ReviewState.EDITABLE, ReviewState.EDITABLE),
        ("VERIFIED", "VERIFIED", ReviewState.CONFIRMED, ReviewState.CONFIRMED),
        ("VERIFIED", "RELEASED", ReviewState.CONFIRMED, ReviewState.EDITABLE),
        ("VERIFIED", "RELEASED", ReviewState.SUBMITTED, ReviewState.EDITABLE),
        ("VERIFIED", "PENDING", ReviewState.SUBMITTED, ReviewState.EDITABLE),
        ("", "PENDING", ReviewState.EDITABLE, ReviewState.EDITABLE),
        ("PENDING", "REJECTED", ReviewState.EDITABLE, ReviewState.EDITABLE),
    ],
)
def test_what_a_change_of_school_means_for_the_review(before, after, state, expected):
    assert after_membership(before, after, state) is expected
