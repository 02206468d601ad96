"""Two persons for a role of a province or of the nation: which roles, what may become of a proposal, who decides."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid

import pytest

from services.org.contract import Level
from services.org.contract.delegation import ProposalState
from services.org.delegation.rules import proposals as rules
from services.org.delegation.rules.proposals import Act
from services.org.rules import delegation
from services.org.rules.delegation import LEVELS_OF_ROLE
from services.shared.actor import Role
from services.shared.errors import Conflict, NotAllowed

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
# "Role province admin and above" (`reliability.md` d37), word by word: where each role needs two.
BY_TWO = {
    (Role.PROVINCE_ADMIN, Level.PROVINCE),
    (Role.SUPER_ADMIN, Level.PROVINCE),
    (Role.AUDITOR, Level.PROVINCE),
    (Role.AUDITOR, Level.NATION),
    (Role.SUPPORT_AGENT, Level.NATION),
    (Role.NATIONAL_OPERATOR, Level.NATION),
}


@pytest.mark.parametrize(("role", "level"), [(role, level) for role in Role for level in sorted(LEVELS_OF_ROLE[role])])
def test_which_roles_take_two_persons(role: Role, level: Level) -> None:
    two = (role, level) in BY_TWO
    assert delegation.needs_second_person(level) is two
    refusing, code = (
        (delegation.require_one_person_enough, r"org\.second_person_needed")
        if two
        else (delegation.require_two_persons_needed, r"org\.no_second_person_needed")
    )
    passing = delegation.require_two_persons_needed if two else delegation.require_one_person_enough
    passing(level)
    with pytest.raises(Conflict, match=code):
        refusing(level)


LISTED = {
    Act.APPROVE: ProposalState.APPROVED,
    Act.REJECT: ProposalState.REJECTED,
    Act.WITHDRAW: ProposalState.WITHDRAWN,
    Act.EXPIRE: ProposalState.EXPIRED,
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(ProposalState, Act)))
def test_every_transition(state: ProposalState, act: Act) -> None:
    if state is ProposalState.OPEN:
        assert rules.next_state(state, act) is LISTED[act]
    else:
        with pytest.raises(Conflict, match=r"org\.proposal_over"):
            rules.next_state(state, act)


def test_a_proposal_ends_by_the_clock() -> None:
    rules.require_open(NOW + dt.timedelta(microseconds=1), NOW)
    with pytest.raises(Conflict, match=r"org\.proposal_over"):
        rules.require_open(NOW, NOW)


def test_nobody_decides_about_what_he_proposed_and_nobody_else_withdraws_it() -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    delegation.require_second_person(one, other)
    rules.require_own(one, one)
    with pytest.raises(NotAllowed, match=r"org\.two_persons"):
        delegation.require_second_person(one, one)
    for stranger in (other, None):
        with pytest.raises(NotAllowed, match=r"org\.proposal_not_yours"):
            rules.require_own(one, stranger)
