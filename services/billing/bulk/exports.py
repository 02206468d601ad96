"""Bills and their lines as files, each page under the rights of its moment; names come from identity, with a fresh code."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.billing.bills import queries
from services.billing.bills.models import Bill, Charge
from services.billing.bills.policy import VIEWERS
from services.billing.bills.queries import BillFilter, LineFilter
from services.billing.contract import bulk
from services.billing.contract.bills import BillState, ChargeState
from services.catalog.contract.courses import COURSE_TYPE_NAMES, HOUR_TYPE_NAMES, CourseType, HourType
from services.identity import contract as identity
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.exporting import Rows, counted, day, disclosed, paged
from services.shared.bulk.kinds import Scope
from services.shared.bus import Call
from services.shared.policy import granted

MISSING = "billing.place_unknown"
# `domain.md` §1.2, "export personal data": A6 to A10 and A13.
EXPORTERS = granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
)
BILL_STATES = {
    BillState.UNPAID: "未缴费",
    BillState.NOTICE_PRINTED: "已打印通知书",
    BillState.PAID: "已缴费",
    BillState.VOID: "已作废",
}
CHARGE_STATES = {
    ChargeState.BILLED: "待缴费",
    ChargeState.ADMITTED: "已录取",
    ChargeState.UNPAID: "逾期未缴",
    ChargeState.VOID: "已取消",
}


class BillFilters(Schema):
    period_id = fields.UUID(load_default=None, allow_none=True)
    state = fields.Enum(BillState, load_default=None, allow_none=True)
    charging_unit_id = fields.UUID(load_default=None, allow_none=True)


class LineFilters(Schema):
    period_id = fields.UUID(load_default=None, allow_none=True)
    state = fields.Enum(ChargeState, load_default=None, allow_none=True)


def find_bills(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    return queries.list_bills(db, BillFilter(scope.place, **scope.filters), _key(after), limit)


def count_bills(db: Session, scope: Scope, limit: int) -> int:
    wanted = BillFilter(scope.place, **scope.filters)
    return db.execute(counted(queries.select_bills(wanted).with_only_columns(Bill.bill_id), limit)).scalar_one()


def show_bills(_service: Any, _call: Call, _scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    for view in found:
        bill = view.bill
        yield (
            view.period.title,
            bill.bill_no,
            bill.payer,
            bill.payee,
            f"{bill.amount:.2f}",
            f"{bill.paid:.2f}",
            BILL_STATES[BillState(bill.state)],
            view.period.due_on.isoformat(),
            day(bill.created_at),
        )


def find_lines(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    return queries.list_lines(db, LineFilter(scope.place, **scope.filters), None, _key(after), limit)


def count_lines(db: Session, scope: Scope, limit: int) -> int:
    wanted = LineFilter(scope.place, **scope.filters)
    return db.execute(
        counted(queries.select_lines(wanted, None).with_only_columns(Charge.choice_id), limit)
    ).scalar_one()


def show_lines(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = disclosed(service.bus, call, scope, identity.SERVICE, (charge.teacher_id for charge, _ in found))
    with service.database.read(call) as db:
        bills = {bill.bill_id: bill for bill in queries.find_bills(db, {charge.bill_id for charge, _ in found})}
    for charge, period in found:
        person = people.get(str(charge.teacher_id), {})
        bill = bills[charge.bill_id]
        yield (
            period.title,
            bill.payer,
            bill.payee,
            person.get("learner_no", ""),
            person.get("name", ""),
            charge.course_no,
            charge.title,
            HOUR_TYPE_NAMES[HourType(charge.hour_type)],
            COURSE_TYPE_NAMES[CourseType(charge.course_type)],
            f"{charge.hours:.2f}",
            f"{charge.fee:.2f}",
            f"{charge.material_fee:.2f}",
            f"{charge.amount:.2f}",
            CHARGE_STATES[ChargeState(charge.state)],
        )


def _key(after: Any) -> uuid.UUID | None:
    return uuid.UUID(str(after)) if after else None


KINDS = (
    paged(
        bulk.EXPORT_BILLS,
        "账单导出",
        VIEWERS,
        ("期数", "账单号", "缴款单位", "收费单位", "应缴", "已缴", "状态", "缴费截止日", "建立日期"),
        BillFilters,
        MISSING,
        find_bills,
        count_bills,
        lambda view: str(view.bill.bill_id),
        show_bills,
    ),
    # 选课录取查询 (S3:435)
    paged(
        bulk.EXPORT_BILL_LINES,
        "选课录取与缴费导出",
        EXPORTERS,
        (
            "期数", "学校", "收费单位", "继续教育学号", "姓名", "课程编号", "课程名称", "学时类型", "课程类型", "学时",
            "培训费用", "教材费用", "合计", "支付状态",
        ),
        LineFilters,
        MISSING,
        find_lines,
        count_lines,
        lambda pair: str(pair[0].choice_id),
        show_lines,
    ),
)  # fmt: skip
