"""Rules of changing a phone: every transition and every refused one, claims, two agents, forgetting."""

import datetime as dt
import itertools
import uuid

import pytest

from services.identity.contract.phone import TicketState
from services.identity.phone.rules import changes, tickets
from services.shared.errors import Conflict, NotAllowed

NOW = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
ONE, TWO = uuid.uuid4(), uuid.uuid4()


# --- by way of the old phone ---------------------------------------------------------------------------------------------

CHANGES = {
    ("OLD_SENT", "PROVE_OLD"): "OLD_PROVED",
    ("OLD_PROVED", "NAME_NEW"): "NEW_SENT",
    ("NEW_SENT", "NAME_NEW"): "NEW_SENT",
    ("NEW_SENT", "PROVE_NEW"): "DONE",
    ("OLD_SENT", "REPLACE"): "REPLACED",
    ("OLD_PROVED", "REPLACE"): "REPLACED",
    ("NEW_SENT", "REPLACE"): "REPLACED",
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(changes.State, changes.Act)))
def test_a_change_goes_one_way_only(state, act):
    if expected := CHANGES.get((state, act)):
        assert changes.next_state(state, act, LATER, NOW) == expected
    else:
        with pytest.raises(Conflict) as refusal:
            changes.next_state(state, act, LATER, NOW)
        assert refusal.value.code == "identity.phone_change_order"


@pytest.mark.parametrize(("state", "act"), [pair for pair in CHANGES if pair[1] != "REPLACE"])
def test_a_change_that_took_too_long_is_over(state, act):
    with pytest.raises(Conflict) as refusal:
        changes.next_state(changes.State(state), changes.Act(act), NOW, NOW)
    assert refusal.value.code == "identity.phone_change_expired"


# --- tickets -------------------------------------------------------------------------------------------------------------

TICKETS = {
    "DRAFT": {"SUBMIT": "SUBMITTED", "LAPSE": "EXPIRED", "WITHDRAW": "CANCELLED"},
    "SUBMITTED": {"CLAIM": "IN_REVIEW", "WITHDRAW": "CANCELLED", "STOP": "CANCELLED"},
    "IN_REVIEW": {
        "CLAIM": "IN_REVIEW", "PUT_BACK": "SUBMITTED", "APPROVE": "COOLING", "APPROVE_FIRST": "SUBMITTED",
        "REJECT": "REJECTED", "WITHDRAW": "CANCELLED", "STOP": "CANCELLED",
    },
    "COOLING": {"WITHDRAW": "CANCELLED", "STOP": "CANCELLED", "FINISH": "DONE", "FAIL": "CANCELLED"},
}  # fmt: skip


@pytest.mark.parametrize(("state", "act"), list(itertools.product(TicketState, tickets.Act)))
def test_a_ticket_moves_as_the_domain_says_and_no_other_way(state, act):
    if expected := TICKETS.get(state, {}).get(act):
        assert tickets.next_state(state, act) == expected
    else:
        with pytest.raises(Conflict) as refusal:
            tickets.next_state(state, act)
        assert refusal.value.code == tickets.REFUSALS[act]


def test_what_is_over_stays_over():
    assert set(tickets.OVER) == set(TicketState) - {state for state, _ in tickets.TRANSITIONS}


def test_a_claim_holds_for_two_hours():
    claim = tickets.Claim(ONE, NOW)
    tickets.require_claimable(claim, ONE, NOW)
    tickets.require_claimable(claim, TWO, NOW + dt.timedelta(hours=2))
    tickets.require_claimable(tickets.Claim(None, None), TWO, NOW)
    with pytest.raises(Conflict) as refusal:
        tickets.require_claimable(claim, TWO, NOW + dt.timedelta(hours=2) - dt.timedelta(microseconds=1))
    assert refusal.value.code == "identity.ticket_claimed"


def test_only_who_claimed_it_decides():
    tickets.require_claimed(tickets.Claim(ONE, NOW), ONE)
    for claim, agent in (
        (tickets.Claim(ONE, NOW), TWO),
        (tickets.Claim(None, None), ONE),
        (tickets.Claim(None, None), None),
    ):
        with pytest.raises(Conflict) as refusal:
            tickets.require_claimed(claim, agent)
        assert refusal.value.code == "identity.ticket_not_yours"


def test_nobody_decides_about_themselves():
    tickets.require_stranger(ONE, TWO)
    tickets.require_stranger(ONE, None)
    with pytest.raises(NotAllowed):
        tickets.require_stranger(ONE, ONE)


def test_an_account_with_grants_needs_two_agents():
    grants = [["COUNTY_ADMIN", "CN/440000/440100/440103"]]
    assert tickets.approval([], None, ONE) == "APPROVE"
    assert tickets.approval(grants, None, ONE) == "APPROVE_FIRST"
    assert tickets.approval(grants, ONE, TWO) == "APPROVE"
    with pytest.raises(NotAllowed) as refusal:
        tickets.approval(grants, ONE, ONE)
    assert refusal.value.code == "identity.ticket_second_agent"


@pytest.mark.parametrize(
    ("claimed", "known", "same"),
    [
        ("张三丰", "张三丰", True),
        (" 张三丰 ", "张三丰", True),
        ("买买提·艾力", "买买提•艾力", True),
        ("张三", "张三丰", False),
        ("", "", False),
        ("张三", "", False),
    ],
)
def test_names_are_compared_whichever_dot_joins_them(claimed, known, same):
    assert tickets.is_same_name(claimed, known) is same


def test_a_match_is_whole_or_none():
    assert tickets.Match(account=True, name=True, id_no=True).is_whole
    assert not tickets.Match(account=True, name=True, id_no=False).is_whole
    assert not tickets.NO_MATCH.is_whole


def test_evidence_goes_seven_days_after_the_decision():
    week = dt.timedelta(days=7)
    assert tickets.forget_at(TicketState.REJECTED, NOW, NOW) == NOW + week
    assert tickets.forget_at(TicketState.DONE, NOW, NOW + tickets.COOLING) == NOW + week
    # The job stood still for a fortnight: it must not lose what it is about to carry out.
    assert tickets.forget_at(TicketState.DONE, NOW, NOW + 2 * week) == NOW + 2 * week
    assert tickets.forget_at(TicketState.CANCELLED, None, NOW) == NOW
    assert tickets.forget_at(TicketState.EXPIRED, None, NOW) == NOW
    with pytest.raises(ValueError, match="over"):
        tickets.forget_at(TicketState.COOLING, NOW, NOW)
