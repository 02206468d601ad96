"""Amounts: decimals, rounded half up, once."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)


def rounded(amount: Decimal, quantum: Decimal) -> Decimal:
    """Half up to a whole number of quanta, which need not be a power of ten."""
    return (amount / quantum).quantize(Decimal(1), ROUND_HALF_UP) * quantum


def shown(amount: Decimal) -> str:
    """With two places, as amounts are written everywhere."""
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))
