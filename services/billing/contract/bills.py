"""Bills, payments and what they tell (`domain.md` §2.4, §3.12). Amounts are yuan, decimals as strings."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

CHARGE_CHANGED: Final = "billing.charge_changed"
PERIOD_BILLED: Final = "billing.period_billed"

BILL_NO_FORM: Final = r"[1-9][0-9]{3}[0-9]{7}[0-9]"  # year, number, check digit
LINES_AT_ONCE: Final = 500  # of one bill, named in one command
CONFIRMED_AT_ONCE: Final = 200  # special users


class BillState(enum.StrEnum):
    UNPAID = "UNPAID"
    NOTICE_PRINTED = "NOTICE_PRINTED"  # the notice that was printed last says what is owed now
    PAID = "PAID"
    VOID = "VOID"  # nothing is left to pay for


class ChargeState(enum.StrEnum):
    """One line of a bill: one teacher's choice of one course."""

    BILLED = "BILLED"
    ADMITTED = "ADMITTED"  # paid, or nothing to pay
    UNPAID = "UNPAID"  # the last day to pay has passed
    VOID = "VOID"  # cancelled afterwards, or its record deleted by the institution


class PaymentSource(enum.StrEnum):
    HAND = "HAND"
    BANK_FILE = "BANK_FILE"
    REFUND = "REFUND"  # money that was given back; its amount is negative


class PaymentState(enum.StrEnum):
    """How money that came fits what is owed. None of it is ever dropped."""

    MATCHED = "MATCHED"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"  # less, or more, than the bill still asks for
    UNKNOWN_NOTICE = "UNKNOWN_NOTICE"  # of no bill, until somebody assigns it
    PAID_TWICE = "PAID_TWICE"  # the bill was paid already


class ChargeChanged(Schema):
    """Where a line of a bill stands now; learning moves its choice accordingly. `version` grows by one each time."""

    choice_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    teacher_id = fields.UUID(required=True)
    period_id = fields.UUID(required=True)
    offering_id = fields.UUID(required=True)
    bill_id = fields.UUID(required=True)
    state = fields.Enum(ChargeState, required=True)


class PeriodBilled(Schema):
    """Every choice of the period that still stood has its line on a bill; told once."""

    period_id = fields.UUID(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {CHARGE_CHANGED: ChargeChanged, PERIOD_BILLED: PeriodBilled}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "billing.period_unknown": ("没有这一期。", "There is no such period."),
    "billing.bill_unknown": ("没有这份账单。", "There is no such bill."),
    "billing.bill_state": ("账单当前状态不能进行此操作。", "The bill's present state does not allow this."),
    "billing.nothing_to_pay": ("该账单无应缴金额。", "There is nothing to pay on this bill."),
    "billing.notice_missing": ("缴款通知书尚未打印。", "The payment notice has not been printed yet."),
    "billing.payment_unknown": ("没有这笔缴款。", "There is no such payment."),
    "billing.payment_assigned": ("该笔缴款已对应账单。", "This payment belongs to a bill already."),
    "billing.receipt_known": ("该票据号已登记。", "A payment of this receipt number is registered already."),
    "billing.paid_in_future": ("缴款日期不能晚于今天。", "A payment cannot be of a day to come."),
    "billing.amount_wrong": (
        "金额须大于零，最多两位小数。",
        "An amount is more than zero and has two decimals at most.",
    ),
    "billing.line_unknown": ("账单中没有这一项。", "The bill has no such line."),
    "billing.line_settled": ("该项已结清或已取消。", "This line is settled or cancelled already."),
    "billing.money_short": (
        "未分配的缴款不足以结清所选项目。",
        "The money that is not assigned yet does not cover the lines that were named.",
    ),
    "billing.refund_too_large": (
        "退款不得超过多缴金额。",
        "No more can be given back than was paid too much.",
    ),
    "billing.keeper_elsewhere": (
        "该账单由其他收费单位管理。",
        "This bill is kept by another institution.",
    ),
    "billing.not_overdue": (
        "该教师在这一期没有逾期未缴的课程。",
        "The teacher has no overdue course in this period.",
    ),
    "billing.not_a_city_period": (
        "只有市级课程未缴费才会列为特殊用户。",
        "Only unpaid courses of the city make a special user.",
    ),
}
