"""What stands on a payment notice (缴款通知书) and on the declaration form (申报表); certs prints it. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.billing.bills.models import Bill, Charge
from services.billing.bills.money_words import in_words
from services.billing.contract.bills import ChargeState
from services.billing.selection.models import Period
from services.catalog.contract.courses import COURSE_TYPE_NAMES, CourseType
from services.shared import clock

PUBLIC = "公需课培训费"  # S3:409: the training fees of three kinds, the material fees of public courses not among them
NOTHING_OWED = Decimal("0.00")


@dataclasses.dataclass(frozen=True)
class CourseSum:
    """One course on a bill: how many teachers, at what price each."""

    course_no: str
    title: str
    kind: str
    teachers: int
    each: Decimal

    @property
    def amount(self) -> Decimal:
        return self.each * self.teachers


def course_sums(charges: Sequence[Charge]) -> list[CourseSum]:
    """The lines that stand and cost something, course by course."""
    groups: dict[tuple[str, uuid.UUID, Decimal], list[Charge]] = {}
    for charge in charges:
        if charge.state != ChargeState.VOID and charge.amount:
            groups.setdefault((charge.course_no, charge.offering_id, charge.amount), []).append(charge)
    return [
        CourseSum(lines[0].course_no, lines[0].title, _kind(lines[0]), len(lines), each)
        for (_, _, each), lines in sorted(groups.items(), key=lambda item: item[0][:2])
    ]


def notice(bill: Bill, period: Period, charges: Sequence[Charge], edition: int, at: dt.datetime) -> dict[str, Any]:
    """The notice by which a school pays, with the bill's number and the sum in words."""
    sums = course_sums(charges)
    total = sum((each.amount for each in sums), NOTHING_OWED)
    return {
        "title": {"zh": "缴款通知书", "en": "Payment notice"},
        "issuer": bill.payee,
        "reference": _reference(bill, edition),
        "at": clock.format_instant(at),
        "facts": [
            _fact("缴款单位", "Payer", bill.payer, wide=True),
            _fact("收费单位", "Payee", bill.payee, wide=True),
            _fact("期数", "Period", period.title),
            _fact("账单号", "Bill", bill.bill_no),
            _fact("应缴金额", "Amount due", f"{total:.2f} 元"),
            _fact("缴费截止日", "Pay by", period.due_on.isoformat()),
            _fact("人民币（大写）", "In words", in_words(total), wide=True),
        ],
        "sections": [_courses(sums, total)],
        "notes": [
            "请在截止日前通过非税收入系统缴款，并注明账单号。Pay through the non-tax system and name the bill.",
            "缴费时须同时提交一式两份并加盖公章的申报表。A stamped declaration form in duplicate goes with the payment.",
        ],
        "signatures": [{"zh": "收费单位", "en": "Payee"}, {"zh": "非税收入票据号", "en": "Receipt no."}],
    }


def declaration_form(
    bill: Bill, period: Period, charges: Sequence[Charge], edition: int, at: dt.datetime
) -> dict[str, Any]:
    """《……期学校交费申报表》, both copies on one document; without the school's seal nothing is accepted (S3:411)."""
    sums = course_sums(charges)
    total = sum((each.amount for each in sums), NOTHING_OWED)
    copies = (
        ("第一联：交收费单位", "First copy: for the payee"),
        ("第二联：学校留存", "Second copy: kept by the school"),
    )
    return {
        "title": {"zh": "中小学教师继续教育学校交费申报表", "en": "Declaration of payment"},
        "issuer": bill.payer,
        "reference": _reference(bill, edition),
        "at": clock.format_instant(at),
        "facts": [
            _fact("学校（公章名）", "School, as on its seal", bill.payer, wide=True),
            _fact("收费单位", "Payee", bill.payee, wide=True),
            _fact("期数", "Period", period.title),
            _fact("账单号", "Bill", bill.bill_no),
        ],
        "sections": [
            {
                **_kinds(sums, total),
                "title": {"zh": zh, "en": en},
                "paragraphs": [f"合计人民币（大写）：{in_words(total)}"],
            }
            for zh, en in copies
        ],
        "notes": ["无申报表或申报表未盖章不受理收费。Without a stamped form no payment is accepted."],
        "signatures": [
            {"zh": "学校（盖章）", "en": "School, seal"},
            {"zh": "经办人", "en": "Clerk"},
            {"zh": "联系电话", "en": "Telephone"},
        ],
    }


def _courses(sums: Sequence[CourseSum], total: Decimal) -> dict[str, Any]:
    return {
        "columns": [
            _column("课程编号", "Course no.", 3),
            _column("课程名称", "Course", 6),
            _column("类别", "Kind", 3),
            _column("人数", "Teachers", 2, "right"),
            _column("单价（元）", "Each", 2, "right"),
            _column("金额（元）", "Amount", 3, "right"),
        ],
        "rows": [
            [each.course_no, each.title, each.kind, str(each.teachers), f"{each.each:.2f}", f"{each.amount:.2f}"]
            for each in sums
        ],
        "totals": ["合计", "", "", str(sum(each.teachers for each in sums)), "", f"{total:.2f}"],
    }


def _kinds(sums: Sequence[CourseSum], total: Decimal) -> dict[str, Any]:
    kinds: dict[str, list[CourseSum]] = {}
    for each in sums:
        kinds.setdefault(each.kind, []).append(each)
    return {
        "columns": [
            _column("收费项目", "Item", 5),
            _column("人次", "Choices", 2, "right"),
            _column("金额（元）", "Amount", 3, "right"),
        ],
        "rows": [
            [
                kind,
                str(sum(each.teachers for each in group)),
                f"{sum((each.amount for each in group), NOTHING_OWED):.2f}",
            ]
            for kind, group in kinds.items()
        ],
        "totals": ["合计", str(sum(each.teachers for each in sums)), f"{total:.2f}"],
    }


def _kind(charge: Charge) -> str:
    return PUBLIC if charge.public_course else f"{COURSE_TYPE_NAMES[CourseType(charge.course_type)]}培训费"


def _reference(bill: Bill, edition: int) -> str:
    return f"{bill.bill_no}-{edition}"


def _fact(zh: str, en: str, value: str, *, wide: bool = False) -> dict[str, Any]:
    return {"label": {"zh": zh, "en": en}, "value": value, "wide": wide}


def _column(zh: str, en: str, share: int, align: str = "left") -> dict[str, Any]:
    return {"label": {"zh": zh, "en": en}, "share": share, "align": align}
