"""Arguments and replies of bills. Amounts are yuan, decimals as strings."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, validate

from services.billing.contract.bills import (
    CONFIRMED_AT_ONCE,
    LINES_AT_ONCE,
    BillState,
    ChargeState,
    PaymentState,
)
from services.billing.contract.holds import RowResult
from services.billing.schemas import Place
from services.shared.fields import Instant, Text
from services.shared.paging import Page

_RECEIPT = re.compile(r"[0-9A-Za-z-]{4,40}\Z")


class Amount(fields.Decimal):
    """Yuan with two decimals at most; text, never a float."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_nan=False, as_string=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(r"\d{1,10}(\.\d{1,2})?", value, re.ASCII):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **options)

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **_: Any) -> Any:
        return None if value is None else f"{value:.2f}"


class BillId(Schema):
    bill_id = fields.UUID(required=True)


class ListBills(Page):
    place = Place(required=True)
    period_id = fields.UUID(load_default=None, allow_none=True)
    state = fields.Enum(BillState, load_default=None, allow_none=True)
    charging_unit_id = fields.UUID(load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListLines(Page):
    """Of one bill, or of a place."""

    place = Place(required=True)
    bill_id = fields.UUID(load_default=None, allow_none=True)
    period_id = fields.UUID(load_default=None, allow_none=True)
    state = fields.Enum(ChargeState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListPayments(Page):
    place = Place(required=True)
    bill_id = fields.UUID(load_default=None, allow_none=True)
    state = fields.Enum(PaymentState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


def ReceiptNo(**options: Any) -> fields.String:  # noqa: N802  reads as the field it makes
    return fields.String(validate=validate.Regexp(_RECEIPT), **options)


class _Money(BillId):
    amount = Amount(required=True)
    receipt_no = ReceiptNo(required=True)
    paid_on = fields.Date(required=True)


def Lines(**options: Any) -> fields.List:  # noqa: N802
    return fields.List(fields.UUID(), **options)


class RegisterPayment(_Money):
    payer = Text(100, shortest=0, load_default="")
    choice_ids = Lines(load_default=list, validate=validate.Length(max=LINES_AT_ONCE))


class RegisterRefund(_Money):
    reason = Text(200, required=True)


class AssignPayment(Schema):
    payment_id = fields.UUID(required=True)
    bill_id = fields.UUID(required=True)


class SettleLines(BillId):
    choice_ids = Lines(required=True, validate=validate.Length(1, LINES_AT_ONCE))


class ListOverdue(Page):
    place = Place(required=True)
    period_id = fields.UUID(load_default=None, allow_none=True)
    cursor = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(equal=2))


class ConfirmSpecialUsers(Schema):
    period_id = fields.UUID(required=True)
    teacher_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, CONFIRMED_AT_ONCE))


class ListOrders(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class Bill(Schema):
    bill_id = fields.UUID()
    bill_no = fields.String()
    period_id = fields.UUID()
    period = fields.String()
    tier = fields.String()
    school_id = fields.UUID()
    place = fields.String()
    payer = fields.String()
    charging_unit_id = fields.UUID()
    payee = fields.String()
    keeper_place = fields.String()
    amount = Amount()
    paid = Amount()
    surplus = Amount()
    state = fields.String()
    edition = fields.Integer()
    version = fields.Integer()
    due_on = fields.Date()
    created_at = Instant()
    paid_at = Instant(allow_none=True)


class Settled(Schema):
    bill_id = fields.UUID()
    amount = Amount()
    paid = Amount()
    state = fields.String()
    version = fields.Integer()


class LineShown(Schema):
    choice_id = fields.UUID()
    bill_id = fields.UUID()
    teacher_id = fields.UUID()
    period_id = fields.UUID()
    period = fields.String()
    place = fields.String()
    course_no = fields.String()
    title = fields.String()
    hour_type = fields.String()
    course_type = fields.String()
    hours = Amount()
    fee = Amount()
    material_fee = Amount()
    amount = Amount()
    state = fields.String()
    version = fields.Integer()
    billed_at = Instant()
    changed_at = Instant()


class Payment(Schema):
    payment_id = fields.UUID()
    bill_id = fields.UUID(allow_none=True)
    bill_no = fields.String()
    amount = Amount()
    receipt_no = fields.String()
    paid_on = fields.Date()
    payer = fields.String()
    source = fields.String()
    state = fields.String()
    registered_at = Instant()


class Overdue(Schema):
    teacher_id = fields.UUID()
    period_id = fields.UUID()
    period = fields.String(attribute="title")
    place = fields.String()
    courses = fields.Integer()
    amount = Amount()


class Confirmed(Schema):
    teacher_id = fields.UUID()
    outcome = fields.Enum(RowResult)
    code = fields.String()


class ConfirmedRows(Schema):
    rows = fields.List(fields.Nested(Confirmed))


class Order(Schema):
    choice_id = fields.UUID()
    offering_id = fields.UUID()
    period_id = fields.UUID()
    period = fields.String()
    course_no = fields.String()
    title = fields.String()
    hour_type = fields.String()
    hours = Amount(allow_none=True)
    choice_state = fields.String()
    payment_state = fields.String(allow_none=True)
    amount = Amount(allow_none=True)
    due_on = fields.Date(allow_none=True)
    chosen_at = Instant()


class Due(Schema):
    courses = fields.Integer()
    hours = Amount()
    amount = Amount()


class Dues(Schema):
    to_pay = fields.Nested(Due)
    overdue = fields.Nested(Due)
