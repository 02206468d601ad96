"""Every state and act of school membership (`domain.md` §3.1): what is listed happens, all else is refused by name."""

from __future__ import annotations

import itertools

import pytest

from services.org.contract import MembershipState
from services.org.rules import membership
from services.org.rules.membership import Act
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id

STATES = (None, *MembershipState)
# (state before, act) -> state after: written out here a second time, from the document and not from the code.
LISTED = {
    (None, "CHOOSE"): "PENDING",
    ("PENDING", "CHOOSE"): "PENDING",
    ("REJECTED", "CHOOSE"): "PENDING",
    ("RELEASED", "CHOOSE"): "PENDING",
    (None, "ADD"): "PENDING",
    ("REJECTED", "ADD"): "PENDING",
    ("RELEASED", "ADD"): "PENDING",
    ("PENDING", "VERIFY"): "VERIFIED",
    ("PENDING", "REJECT"): "REJECTED",
    ("VERIFIED", "RELEASE"): "RELEASED",
    ("VERIFIED", "TRANSFER"): "VERIFIED",
}
CODES = {
    "CHOOSE": "org.release_first",
    "ADD": "org.member_elsewhere",
    "VERIFY": "org.not_pending",
    "REJECT": "org.not_pending",
    "RELEASE": "org.not_verified",
    "TRANSFER": "org.transfer_unverified",
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(STATES, Act)))
def test_every_pair_of_state_and_act(state: MembershipState | None, act: Act) -> None:
    if (state, act) in LISTED:
        assert membership.next_state(state, act) == LISTED[state, act]
        return
    with pytest.raises(Conflict) as refused:
        membership.next_state(state, act)
    assert refused.value.code == CODES[act]


@pytest.mark.parametrize("same_school", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_only_waiting_or_verified_at_the_same_school_is_already_there(
    state: MembershipState | None, same_school: bool
) -> None:
    expected = same_school and state in ("PENDING", "VERIFIED")
    assert membership.is_already_there(state, same_school=same_school) is expected


@pytest.mark.parametrize("state", [None, MembershipState.REJECTED, MembershipState.RELEASED, MembershipState.PENDING])
def test_a_roster_takes_whoever_belongs_nowhere(state: MembershipState | None) -> None:
    assert membership.state_when_added(state, in_other=True, vouched=False) is MembershipState.PENDING


@pytest.mark.parametrize("state", [None, MembershipState.REJECTED, MembershipState.RELEASED, MembershipState.PENDING])
def test_whom_her_own_school_adds_is_verified_by_that(state: MembershipState | None) -> None:
    assert membership.state_when_added(state, in_other=True, vouched=True) is MembershipState.VERIFIED


@pytest.mark.parametrize("vouched", [True, False])
@pytest.mark.parametrize("state", [MembershipState.PENDING, MembershipState.VERIFIED])
def test_a_roster_moves_nobody_from_a_school(state: MembershipState, vouched: bool) -> None:
    with pytest.raises(Conflict, match=r"org\.member_elsewhere"):
        membership.state_when_added(state, in_other=False, vouched=vouched)


def test_of_two_memberships_of_one_person_the_one_that_says_more_stands() -> None:
    ranked = [
        membership.standing(state, in_other=in_other)
        for state, in_other in (
            (None, False),
            (MembershipState.PENDING, True),
            (MembershipState.PENDING, False),
            (MembershipState.VERIFIED, False),
        )
    ]
    assert ranked == sorted(set(ranked))
    assert membership.standing(MembershipState.RELEASED, in_other=False) == 0
    assert membership.standing(MembershipState.REJECTED, in_other=True) == 0


def test_nobody_decides_about_himself() -> None:
    teacher = new_id()
    membership.require_other_person(new_id(), teacher)
    membership.require_other_person(None, teacher)
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        membership.require_other_person(teacher, teacher)


def test_other_has_no_reviewer() -> None:
    membership.require_reviewer(in_other=False)
    with pytest.raises(Conflict, match=r"org\.no_reviewer"):
        membership.require_reviewer(in_other=True)


@pytest.mark.parametrize("identity", ["STUDENT", "GUARDIAN", ""])
def test_only_teachers_have_a_school(identity: str) -> None:
    membership.require_teacher("TEACHER")
    with pytest.raises(NotAllowed, match=r"org\.teachers_only"):
        membership.require_teacher(identity)
