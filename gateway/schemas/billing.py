"""Bodies and queries of bills, payments, the overdue and one's own orders. Amounts are yuan, decimals as text."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, Person, an_id, choice, place
from gateway.schemas.staffing import MOMENT
from services.billing.contract.bills import (
    CONFIRMED_AT_ONCE,
    LINES_AT_ONCE,
    BillState,
    ChargeState,
    PaymentSource,
    PaymentState,
)
from services.billing.contract.holds import RowResult
from services.catalog.contract.courses import CourseType, HourType
from services.catalog.contract.periods import Tier
from services.learning.contract.selection import ChoiceState

EXAMPLE_BILL_NO = "202600001234"


def amount(description: str = "", **options: Any) -> fields.String:
    """Yuan in a body: text with two decimals at most."""
    metadata = {"description": description or "元 (yuan)", "example": "1200.00"}
    rule = validate.Regexp(r"^[0-9]{1,10}(\.[0-9]{1,2})?\Z")
    return fields.String(validate=rule, metadata=metadata, **options)


def shown_amount(description: str = "", **options: Any) -> fields.String:
    return fields.String(metadata={"description": description or "元 (yuan)", "example": "1200.00"}, **options)


class BillsQuery(Page):
    place = place(required=True)
    period_id = an_id()
    state = choice(BillState)
    charging_unit_id = an_id()


class Bill(ma.Schema):
    bill_id = fields.String(metadata={"example": EXAMPLE_ID})
    bill_no = fields.String(metadata={"description": "账单号, named when paying.", "example": EXAMPLE_BILL_NO})
    period_id = fields.String()
    period = fields.String(metadata={"example": "2026年上半年"})
    tier = choice(Tier)
    school_id = fields.String()
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    payer = fields.String(metadata={"description": "公章名 of the school.", "example": "越秀区实验小学"})
    charging_unit_id = fields.String()
    payee = fields.String(metadata={"description": "收费单位", "example": "广州市广播电视大学"})
    keeper_place = fields.String(metadata={"description": "The city or district that registers payments."})
    amount = shown_amount("应缴")
    paid = shown_amount("已缴")
    surplus = shown_amount("Money that no line needs; of a single bill also a part payment that is not assigned yet.")
    state = choice(BillState, metadata={"example": "UNPAID"})
    edition = fields.Integer(metadata={"description": "Grows when lines change; the notice is of one edition."})
    version = fields.Integer()
    due_on = fields.String(metadata={"description": "Last day to pay.", "example": "2026-04-30"})
    created_at = fields.String(metadata={"example": MOMENT})
    paid_at = fields.String(allow_none=True)


class Bills(PageReply):
    items = fields.List(fields.Nested(Bill))


class LinesQuery(Page):
    place = place(required=True)
    bill_id = an_id()
    period_id = an_id()
    state = choice(ChargeState)


class Line(ma.Schema):
    choice_id = fields.String(metadata={"example": EXAMPLE_ID})
    bill_id = fields.String()
    teacher_id = fields.String()
    period_id = fields.String()
    period = fields.String()
    place = fields.String()
    course_no = fields.String()
    title = fields.String()
    hour_type = choice(HourType)
    course_type = choice(CourseType)
    hours = fields.String(metadata={"example": "18.00"})
    fee = shown_amount("培训费")
    material_fee = shown_amount("教材费")
    amount = shown_amount("What goes through the bill: of a public course without the material fee.")
    state = choice(ChargeState)
    version = fields.Integer()
    billed_at = fields.String()
    changed_at = fields.String()
    person = fields.Nested(Person, allow_none=True, metadata={"description": "Masked; null when out of reach."})


class Lines(PageReply):
    items = fields.List(fields.Nested(Line))


def receipt_no(**options: Any) -> fields.String:
    metadata = {"description": "非税收入票据号", "example": "GZ-2026-0001"}
    return fields.String(validate=validate.Regexp(r"^[0-9A-Za-z-]{4,40}\Z"), metadata=metadata, **options)


def choice_ids(**options: Any) -> fields.List:
    return fields.List(an_id(), **options)


class NewPayment(Schema):
    bill_id = an_id(required=True)
    amount = amount(required=True)
    receipt_no = receipt_no(required=True)
    paid_on = fields.Date(required=True, metadata={"example": "2026-03-20"})
    payer = Text(100, shortest=0, load_default="")
    choice_ids = choice_ids(
        load_default=list,
        validate=validate.Length(max=LINES_AT_ONCE),
        metadata={"description": "Whose courses a part payment is for; empty: all, once it suffices for all."},
    )


class NewRefund(Schema):
    amount = amount(required=True)
    receipt_no = receipt_no(required=True)
    paid_on = fields.Date(required=True, metadata={"example": "2026-03-20"})
    reason = Text(200, required=True, metadata={"example": "重复缴费"})


class Payment(ma.Schema):
    payment_id = fields.String(metadata={"example": EXAMPLE_ID})
    bill_id = fields.String(allow_none=True)
    bill_no = fields.String(metadata={"example": EXAMPLE_BILL_NO})
    amount = shown_amount("Negative when it was given back.")
    receipt_no = fields.String()
    paid_on = fields.String()
    payer = fields.String()
    source = choice(PaymentSource)
    state = choice(PaymentState)
    registered_at = fields.String()


class PaymentsQuery(Page):
    place = place(required=True)
    bill_id = an_id()
    state = choice(PaymentState)


class Payments(PageReply):
    items = fields.List(fields.Nested(Payment))


class Assignment(Schema):
    bill_id = an_id(required=True)


class Settlement(Schema):
    choice_ids = choice_ids(required=True, validate=validate.Length(1, LINES_AT_ONCE))


class Settled(ma.Schema):
    bill_id = fields.String()
    amount = shown_amount()
    paid = shown_amount()
    state = choice(BillState)
    version = fields.Integer()


class OverdueQuery(Page):
    place = place(required=True)
    period_id = an_id()


class OverdueTeacher(ma.Schema):
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    period_id = fields.String()
    period = fields.String()
    place = fields.String()
    courses = fields.Integer()
    amount = shown_amount()
    person = fields.Nested(Person, allow_none=True, metadata={"description": "Masked; null when out of reach."})


class Overdue(PageReply):
    items = fields.List(fields.Nested(OverdueTeacher))


class Confirmation(Schema):
    period_id = an_id(required=True)
    teacher_ids = fields.List(an_id(), required=True, validate=validate.Length(1, CONFIRMED_AT_ONCE))


class ConfirmedRow(ma.Schema):
    teacher_id = fields.String()
    outcome = choice(RowResult)
    code = fields.String(metadata={"description": "Of a refusal, else empty.", "example": "billing.not_overdue"})
    message = fields.String(metadata={"description": "In the language asked for."})


class Confirmed(ma.Schema):
    rows = fields.List(fields.Nested(ConfirmedRow))


class Order(ma.Schema):
    choice_id = fields.String(metadata={"example": EXAMPLE_ID})
    offering_id = fields.String()
    period_id = fields.String()
    period = fields.String()
    course_no = fields.String()
    title = fields.String()
    hour_type = fields.String()
    hours = fields.String(allow_none=True)
    choice_state = choice(ChoiceState)
    payment_state = choice(ChargeState, allow_none=True, metadata={"description": "Null before there is a bill."})
    amount = shown_amount("What the school pays for it.", allow_none=True)
    due_on = fields.String(allow_none=True)
    chosen_at = fields.String()


class Orders(PageReply):
    items = fields.List(fields.Nested(Order))


class Due(ma.Schema):
    courses = fields.Integer()
    hours = fields.String()
    amount = shown_amount()


class Dues(ma.Schema):
    to_pay = fields.Nested(Due)
    overdue = fields.Nested(Due)
