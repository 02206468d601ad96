"""Pure rules of bills: what a course costs the school, where a bill stands, what money settles; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from services.billing.contract.bills import BillState, ChargeState, PaymentState
from services.billing.contract.holds import HoldKind
from services.shared.clock import BEIJING
from services.shared.errors import Conflict, InvalidInput

ZERO = Decimal("0.00")
MOST = Decimal(10_000_000_000)  # yuan in one payment: what the column holds
CITY = "CITY"
# What is still to be paid of a bill: also after the last day, for money that comes late settles the debt.
OPEN = frozenset({ChargeState.BILLED, ChargeState.UNPAID})

# Whatever is not listed is refused.
TRANSITIONS: dict[ChargeState, frozenset[ChargeState]] = {
    ChargeState.BILLED: frozenset({ChargeState.ADMITTED, ChargeState.UNPAID, ChargeState.VOID}),
    ChargeState.UNPAID: frozenset({ChargeState.ADMITTED, ChargeState.VOID}),
    ChargeState.ADMITTED: frozenset({ChargeState.VOID}),
    ChargeState.VOID: frozenset(),
}


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a bill as the rules see it. `amount` in yuan."""

    choice_id: uuid.UUID
    amount: Decimal
    state: ChargeState


def amount_due(fee: Decimal, material_fee: Decimal, *, public_course: bool) -> Decimal:
    """What a school pays to the charging unit for one choice, in yuan.

    Training fees of remote, face-to-face and public courses; the material fee of a public course is not in it (S3:409). Of
    other courses both fees are, as the list of admissions adds them up (培训费用, 教材费用, 合计, S3:435).
    """
    return fee if public_course else fee + material_fee


def next_state(state: ChargeState, wanted: ChargeState) -> ChargeState:
    """Raises Conflict("billing.line_settled") for a step that a line does not take."""
    if wanted not in TRANSITIONS[state]:
        raise Conflict("billing.line_settled")
    return wanted


def sum_of(lines: Iterable[Line]) -> Decimal:
    """What the lines that stand come to."""
    return sum((line.amount for line in lines if line.state is not ChargeState.VOID), ZERO)


def free_money(lines: Iterable[Line], paid: Decimal) -> Decimal:
    """Money of a bill that no line has used. Of a cancelled line that was paid it is free again."""
    return paid - sum((line.amount for line in lines if line.state is ChargeState.ADMITTED), ZERO)


def state_of(lines: Sequence[Line], *, printed: bool) -> BillState:
    """Where a bill stands. `printed`: the notice that was printed last says what the lines say now."""
    standing = [line for line in lines if line.state is not ChargeState.VOID]
    if not standing:
        return BillState.VOID
    if not any(line.state in OPEN for line in standing):
        return BillState.PAID
    return BillState.NOTICE_PRINTED if printed else BillState.UNPAID


def settled_by(lines: Sequence[Line], paid: Decimal) -> list[uuid.UUID]:
    """Which open lines the money settles unasked: all of them or, while it does not suffice for all, none.

    Whose course a part of it pays for is for people to say (`require_settleable`).
    """
    waiting = [line for line in lines if line.state in OPEN]
    return [line.choice_id for line in waiting] if free_money(lines, paid) >= sum_of(waiting) else []


def require_settleable(lines: Sequence[Line], paid: Decimal, named: Collection[uuid.UUID]) -> None:
    """Raises NotFound-like InvalidInput for a line that the bill does not have, Conflict for one that is settled or more
    than the free money pays for."""
    known = {line.choice_id: line for line in lines}
    if set(named) - set(known):
        raise InvalidInput("billing.line_unknown", "choice_ids")
    wanted = [known[choice_id] for choice_id in set(named)]
    if any(line.state not in OPEN for line in wanted):
        raise Conflict("billing.line_settled", "choice_ids")
    if sum_of(wanted) > free_money(lines, paid):
        raise Conflict("billing.money_short", "choice_ids")


def fit_of(lines: Sequence[Line], paid_before: Decimal, amount: Decimal) -> PaymentState:
    """How a new payment fits what the bill still asks for."""
    waiting = sum_of(line for line in lines if line.state in OPEN)
    missing = waiting - free_money(lines, paid_before)
    if missing <= ZERO:
        return PaymentState.PAID_TWICE
    return PaymentState.MATCHED if amount == missing else PaymentState.AMOUNT_DIFFERS


def require_amount(amount: Decimal) -> Decimal:
    """Raises InvalidInput("billing.amount_wrong") for what is no amount of money."""
    if not amount.is_finite() or amount <= ZERO or amount >= MOST or int(amount.as_tuple().exponent) < -2:
        raise InvalidInput("billing.amount_wrong", "amount")
    return amount.quantize(Decimal("0.01"))


def require_past(paid_on: dt.date, now: dt.datetime) -> None:
    """Raises InvalidInput("billing.paid_in_future")."""
    if paid_on > now.astimezone(BEIJING).date():
        raise InvalidInput("billing.paid_in_future", "paid_on")


def overdue_from(due_on: dt.date) -> dt.datetime:
    """The first instant at which a course is unpaid: the Beijing midnight after the last day to pay."""
    return dt.datetime.combine(due_on, dt.time(), BEIJING) + dt.timedelta(days=1)


def arrears_of(tier: str) -> HoldKind:
    return HoldKind.CITY_ARREARS if tier == CITY else HoldKind.DISTRICT_ARREARS


def is_complete(standing: int, void: int, versions: int, told_choices: int, told_versions: int) -> bool:
    """Whether all choices of a period are here that learning counted when selection closed.

    A choice that became void since has one version more, and is not among those that were told as standing; when it became
    so, before the count or after it, nobody says. So the sum may be larger by at most one for each void choice.
    """
    return versions - void <= told_versions <= versions and standing + void >= told_choices


def bill_no(year: int, number: int) -> str:
    """Year, number and a check digit by which a bank's typing error is found out (Luhn)."""
    digits = f"{year:04d}{number:07d}"
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"
