"""Billing's jobs: the process type that runs them, its kinds, and the columns of a bank's file."""

from __future__ import annotations

from typing import Final

from services.shared.bulk.columns import Column

PROCESS: Final = "billing-bulk"

IMPORT_PAYMENTS: Final = "import_payments"
EXPORT_BILLS: Final = "export_bills"
EXPORT_BILL_LINES: Final = "export_bill_lines"

PAYMENT_COLUMNS: Final = (
    Column("bill_no", "账单号", longest=20),
    Column("amount", "金额", longest=14),
    Column("receipt_no", "票据号", longest=40),
    Column("paid_on", "缴款日期", longest=10),
    Column("payer", "缴款单位", required=False, longest=100),
)
