"""Pure rules of bills: amounts, states, what money settles, when all choices have arrived."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.bills import rules
from services.billing.bills.money_words import in_words
from services.billing.bills.rules import Line
from services.billing.contract.bills import BillState, ChargeState, PaymentState
from services.billing.contract.holds import HoldKind
from services.shared.errors import Conflict, InvalidInput

YUAN = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(99999), places=2)


def line(amount: str, state: ChargeState = ChargeState.BILLED) -> Line:
    return Line(uuid.uuid4(), Decimal(amount), state)


def test_a_public_course_costs_its_training_fee_alone() -> None:
    fee, material = Decimal("120.00"), Decimal("35.50")
    assert rules.amount_due(fee, material, public_course=True) == Decimal("120.00")
    assert rules.amount_due(fee, material, public_course=False) == Decimal("155.50")


@pytest.mark.parametrize("state", ChargeState)
@pytest.mark.parametrize("wanted", ChargeState)
def test_every_step_of_a_line_that_is_not_listed_is_refused(state: ChargeState, wanted: ChargeState) -> None:
    listed = {
        ("BILLED", "ADMITTED"),
        ("BILLED", "UNPAID"),
        ("BILLED", "VOID"),
        ("UNPAID", "ADMITTED"),
        ("UNPAID", "VOID"),
        ("ADMITTED", "VOID"),
    }
    if (state, wanted) in listed:
        assert rules.next_state(state, wanted) is wanted
    else:
        with pytest.raises(Conflict, match=r"billing\.line_settled"):
            rules.next_state(state, wanted)


def test_where_a_bill_stands() -> None:
    open_, unpaid, paid, void = (line("10.00", state) for state in ("BILLED", "UNPAID", "ADMITTED", "VOID"))  # type: ignore[arg-type]
    lines = [Line(each.choice_id, each.amount, ChargeState(each.state)) for each in (open_, unpaid, paid, void)]
    open_, unpaid, paid, void = lines
    assert rules.state_of([open_, paid], printed=False) is BillState.UNPAID
    assert rules.state_of([unpaid, paid], printed=True) is BillState.NOTICE_PRINTED
    assert rules.state_of([paid, void], printed=False) is BillState.PAID
    assert rules.state_of([void], printed=True) is BillState.VOID
    assert rules.state_of([], printed=False) is BillState.VOID


def test_money_settles_all_lines_or_none_unasked() -> None:
    lines = [line("10.00"), line("20.00"), line("5.00", ChargeState.ADMITTED), line("7.00", ChargeState.VOID)]
    assert rules.settled_by(lines, Decimal("34.99")) == []
    assert rules.settled_by(lines, Decimal("35.00")) == [lines[0].choice_id, lines[1].choice_id]
    assert rules.settled_by(lines, Decimal("90.00")) == [lines[0].choice_id, lines[1].choice_id]


def test_named_lines_must_be_open_known_and_covered() -> None:
    lines = [line("10.00"), line("20.00", ChargeState.UNPAID), line("5.00", ChargeState.ADMITTED)]
    rules.require_settleable(lines, Decimal("15.00"), [lines[0].choice_id])
    for paid, named, code in (
        ("14.99", [lines[0].choice_id], "billing.money_short"),
        ("34.00", [lines[0].choice_id, lines[1].choice_id], "billing.money_short"),
        ("99.00", [lines[2].choice_id], "billing.line_settled"),
    ):
        with pytest.raises(Conflict) as refused:
            rules.require_settleable(lines, Decimal(paid), named)
        assert refused.value.code == code
    with pytest.raises(InvalidInput, match=r"billing\.line_unknown"):
        rules.require_settleable(lines, Decimal("99.00"), [uuid.uuid4()])


def test_how_money_fits() -> None:
    lines = [line("10.00"), line("20.00")]
    for before, amount, fit in (
        ("0", "30.00", PaymentState.MATCHED),
        ("0", "29.99", PaymentState.AMOUNT_DIFFERS),
        ("0", "30.01", PaymentState.AMOUNT_DIFFERS),
        ("10.00", "20.00", PaymentState.MATCHED),
        ("30.00", "30.00", PaymentState.PAID_TWICE),
    ):
        assert rules.fit_of(lines, Decimal(before), Decimal(amount)) is fit
    paid = [line("10.00", ChargeState.ADMITTED)]
    assert rules.fit_of(paid, Decimal("10.00"), Decimal("10.00")) is PaymentState.PAID_TWICE


@given(st.lists(st.tuples(YUAN, st.sampled_from(ChargeState))), st.lists(YUAN))
def test_no_yuan_is_lost_and_none_is_used_twice(
    given_lines: list[tuple[Decimal, ChargeState]], money: list[Decimal]
) -> None:
    """Whatever comes in whatever order: what lines have used and what is free is what came."""
    lines = [Line(uuid.uuid4(), amount, state) for amount, state in given_lines if state is not ChargeState.ADMITTED]
    paid = Decimal(0)
    for amount in money:
        paid += amount
        settled = set(rules.settled_by(lines, paid))
        lines = [
            Line(each.choice_id, each.amount, ChargeState.ADMITTED) if each.choice_id in settled else each
            for each in lines
        ]
        used = sum((each.amount for each in lines if each.state is ChargeState.ADMITTED), Decimal(0))
        assert rules.free_money(lines, paid) == paid - used >= 0


@pytest.mark.parametrize("amount", ["0", "-1.00", "0.001", "NaN", "Infinity", "10000000000"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput, match=r"billing\.amount_wrong"):
        rules.require_amount(Decimal(amount))


def test_the_last_day_to_pay_is_a_whole_day_in_beijing() -> None:
    assert rules.overdue_from(dt.date(2026, 4, 30)) == dt.datetime(2026, 4, 30, 16, tzinfo=dt.UTC)


def test_a_city_makes_special_users_a_district_arrears() -> None:
    assert rules.arrears_of("CITY") is HoldKind.CITY_ARREARS
    assert rules.arrears_of("DISTRICT") is HoldKind.DISTRICT_ARREARS


@pytest.mark.parametrize(
    ("standing", "void", "versions", "complete"),
    [
        (3, 0, 5, True),
        (2, 0, 4, False),  # one is missing
        (3, 0, 4, False),  # an old version of one
        (2, 1, 6, True),  # one became void since
        (2, 1, 5, True),  # it was void already, and another one with it is not told
        (2, 1, 4, False),
        (3, 0, 6, False),  # more than was told, and nothing explains it
    ],
)
def test_bills_wait_until_every_choice_has_arrived(standing: int, void: int, versions: int, *, complete: bool) -> None:
    assert rules.is_complete(standing, void, versions, 3, 5) is complete


def test_a_typing_error_in_a_bill_number_is_found() -> None:
    number = rules.bill_no(2026, 123)
    assert number.startswith("20260000123")
    assert len(number) == 12
    digits = [int(digit) for digit in number]
    for position in range(12):
        for digit in range(10):
            wrong = "".join(str(digit if at == position else value) for at, value in enumerate(digits))
            assert (rules.bill_no(int(wrong[:4]), int(wrong[4:11])) == wrong) is (wrong == number)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.00", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("1.00", "壹元整"),
        ("10.00", "壹拾元整"),
        ("105.00", "壹佰零伍元整"),
        ("1005.05", "壹仟零伍元零伍分"),
        ("12300.50", "壹万贰仟叁佰元伍角整"),
        ("100000.00", "壹拾万元整"),
        ("100001.00", "壹拾万零壹元整"),
        ("10203040.56", "壹仟零贰拾万叁仟零肆拾元伍角陆分"),
        ("100000000.00", "壹亿元整"),
        ("100010000.00", "壹亿零壹万元整"),
        ("120000300.00", "壹亿贰仟万零叁佰元整"),
    ],
)
def test_amounts_in_words(amount: str, words: str) -> None:
    assert in_words(Decimal(amount)) == words
