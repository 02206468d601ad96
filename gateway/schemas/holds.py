"""Bodies and queries of holds."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.org import EXAMPLE_ID, Person, an_id, choice, place
from gateway.schemas.staffing import MOMENT
from gateway.schemas.transfers import learner_no
from services.billing.contract.holds import LIFTED_AT_ONCE, HoldEvidence, HoldKind, HoldState, RowResult


class NewHold(Schema):
    teacher_id = an_id()
    learner_no = learner_no()
    kind = choice(HoldKind, required=True, metadata={"example": "SPECIAL_USER"})
    reason = Text(200, required=True, metadata={"example": "2022年下半年选课未缴费"})

    @ma.validates_schema
    def require_one(self, data: dict[str, Any], **_: Any) -> None:
        if ("teacher_id" in data) == ("learner_no" in data):
            raise ma.ValidationError("Not a valid teacher: give either teacher_id or learner_no.", "teacher_id")


def evidence() -> fields.List:
    return fields.List(
        choice(HoldEvidence),
        load_default=list,
        validate=validate.Length(max=len(HoldEvidence)),
        metadata={"description": "What was shown.", "example": ["ID_DOCUMENT"]},
    )


class Lifting(Schema):
    evidence = evidence()
    reason = Text(200, required=True, metadata={"example": "已缴费"})


class Liftings(Schema):
    hold_ids = fields.List(an_id(), required=True, validate=validate.Length(1, LIFTED_AT_ONCE))
    evidence = evidence()
    period = Text(60, required=True, metadata={"example": "2022年下半年"})
    course = Text(100, required=True, metadata={"example": "班级管理"})
    reason = Text(200, required=True, metadata={"example": "学校统一缴费"})


class HoldsQuery(Page):
    place = place(required=True)
    kind = choice(HoldKind)
    state = choice(HoldState)


class Hold(ma.Schema):
    hold_id = fields.String(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    kind = choice(HoldKind)
    place = fields.String(metadata={"description": "Of the institution that placed it."})
    state = choice(HoldState)
    occurrence = fields.Integer(metadata={"description": "The how-manieth of its kind.", "example": 1})
    period_id = fields.String(allow_none=True, metadata={"description": "Whose unpaid courses it came from."})
    version = fields.Integer()
    reason = fields.String()
    placed_at = fields.String(metadata={"example": MOMENT})
    evidence = fields.List(choice(HoldEvidence))
    lifted_at = fields.String(allow_none=True)
    lift_reason = fields.String()
    person = fields.Nested(Person, allow_none=True, metadata={"description": "Masked; null when out of reach."})


class Holds(PageReply):
    items = fields.List(fields.Nested(Hold))


class OwnHolds(ma.Schema):
    items = fields.List(fields.Nested(Hold))


class HoldOutcome(ma.Schema):
    hold_id = fields.String(metadata={"example": EXAMPLE_ID})
    outcome = choice(RowResult)
    code = fields.String(metadata={"description": "Of a refusal, else empty.", "example": "billing.hold_evidence"})
    message = fields.String(metadata={"description": "In the language asked for."})


class HoldOutcomes(ma.Schema):
    rows = fields.List(fields.Nested(HoldOutcome))
