"""Verification: windows, states, the page of category by year, and the complaints' transitions."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from services.credits import pack_files, schemes
from services.credits.contract.verification import ComplaintState, YearState
from services.credits.rules import ledger
from services.credits.rules.ledger import Entry
from services.credits.verification import rules
from services.credits.verification.rules import ComplaintAct, Window
from services.shared.clock import BEIJING
from services.shared.errors import Conflict

GUANGXI = pack_files.load_pack("guangxi-2016")


def test_a_year_closes_at_a_beijing_midnight_and_stays_open_to_complaints_for_its_days():
    scheme = schemes.find_scheme("CN/450000", 2023)
    closes, until = scheme.closing_of(2023), scheme.complaints_until(2023)
    assert closes == dt.datetime(2024, 2, 1, tzinfo=BEIJING)
    instant = dt.timedelta(microseconds=1)
    assert [rules.window_of(closes, until, at) for at in (closes - instant, closes, until - instant, until)] == [
        Window.OPEN,
        Window.COMPLAINTS,
        Window.COMPLAINTS,
        Window.OVER,
    ]
    assert until - closes == dt.timedelta(days=30)


@pytest.mark.parametrize(
    ("stored", "window", "shown"),
    [
        (None, Window.OPEN, YearState.OPEN),
        (None, Window.OVER, YearState.OPEN),
        (YearState.FROZEN, Window.COMPLAINTS, YearState.FROZEN),
        (YearState.REFROZEN, Window.COMPLAINTS, YearState.REFROZEN),
        (YearState.FROZEN, Window.OVER, YearState.FINAL),
    ],
)
def test_a_snapshot_is_final_once_nobody_can_complain(stored, window, shown):
    assert rules.state_of(stored, window) is shown


@pytest.mark.parametrize(("state", "act"), list(itertools.product(ComplaintState, ComplaintAct)))
def test_whatever_is_not_listed_is_refused(state, act):
    if (state, act) in rules.COMPLAINT_TRANSITIONS:
        assert rules.next_complaint_state(state, act) is rules.COMPLAINT_TRANSITIONS[state, act]
    else:
        with pytest.raises(Conflict, match="complaint_state"):
            rules.next_complaint_state(state, act)


def test_the_matrix_states_a_requirement_only_where_the_pack_does():
    entries = [
        Entry(2021, "CREDIT", Decimal(10), "校本研修"),
        Entry(2022, "CREDIT", Decimal(4), "校本研修"),
        Entry(2023, "CREDIT", Decimal(4), "校本研修"),
        Entry(2023, "CREDIT", Decimal(8), "远程培训"),
    ]
    rows = {
        row["category"]: row
        for row in rules.matrix(GUANGXI, ledger.evaluate(GUANGXI, range(2021, 2026), entries), 2023)
    }
    school = rows["校本研修"]
    assert [(cell["year"], cell["amount"], cell["required"], cell["status"]) for cell in school["years"]] == [
        (2021, "10.00", "10.00", "COMPLETED"),
        (2022, "4.00", "10.00", "INCOMPLETE"),
        (2023, "4.00", "10.00", "STUDYING"),
        (2024, "0.00", "10.00", "NOT_STARTED"),
        (2025, "0.00", "10.00", "NOT_STARTED"),
    ]
    assert (school["cycle"]["required"], school["cycle"]["status"]) == ("50.00", "STUDYING")
    # 集中培训 and 远程培训 are asked for as a sum, so neither has a figure of its own.
    assert {cell["status"] for cell in rows["远程培训"]["years"]} == {"NO_REQUIREMENT"}
    assert rows["total"]["cycle"] == {"amount": "26.00", "required": "120.00", "status": "STUDYING"}


def test_the_hash_knows_the_content_and_not_its_order():
    assert rules.snapshot_hash({"a": 1, "b": "学"}) == rules.snapshot_hash({"b": "学", "a": 1})
    assert rules.snapshot_hash({"a": 1}) != rules.snapshot_hash({"a": 2})
