"""Arguments and replies of holds."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.billing.contract.holds import (
    HOLDS_AT_ONCE,
    LIFTED_AT_ONCE,
    Blocked,
    HoldEvidence,
    HoldKind,
    HoldState,
    RowResult,
)
from services.billing.schemas import LearnerNo, Place
from services.shared.fields import Instant, Text
from services.shared.paging import Page


class FindHolds(Schema):
    teacher_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, HOLDS_AT_ONCE))


class HoldFound(Schema):
    teacher_id = fields.UUID()
    kind = fields.Enum(HoldKind)
    occurrence = fields.Integer()
    since = Instant()
    blocks = fields.List(fields.Enum(Blocked))
    period_ids = fields.List(fields.UUID())
    place_id = fields.String()


class HoldsFound(Schema):
    holds = fields.List(fields.Nested(HoldFound))


class PlaceHold(Schema):
    teacher_id = fields.UUID()
    learner_no = LearnerNo()
    kind = fields.Enum(HoldKind, required=True)
    reason = Text(200, required=True)

    @validates_schema
    def require_one(self, data: dict[str, Any], **_: Any) -> None:
        if ("teacher_id" in data) == ("learner_no" in data):
            raise ValidationError("Not a valid teacher: give either teacher_id or learner_no.", "teacher_id")


def Evidence() -> fields.List:  # noqa: N802  reads as the field it makes
    return fields.List(fields.Enum(HoldEvidence), load_default=list, validate=validate.Length(max=len(HoldEvidence)))


class LiftHold(Schema):
    hold_id = fields.UUID(required=True)
    evidence = Evidence()
    reason = Text(200, required=True)


class LiftHolds(Schema):
    """The application names period, course and reason, and has the list (`domain.md` §3.13)."""

    hold_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, LIFTED_AT_ONCE))
    evidence = Evidence()
    period = Text(60, required=True)
    course = Text(100, required=True)
    reason = Text(200, required=True)


class AtPlace(Schema):
    place = Place(required=True)


class ListHolds(Page):
    place = Place(required=True)
    kind = fields.Enum(HoldKind, load_default=None, allow_none=True)
    state = fields.Enum(HoldState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Hold(Schema):
    hold_id = fields.UUID()
    teacher_id = fields.UUID()
    kind = fields.String()
    place = fields.String()
    state = fields.String()
    occurrence = fields.Integer()
    period_id = fields.UUID(allow_none=True)
    version = fields.Integer()
    reason = fields.String()
    placed_at = Instant()
    evidence = fields.Function(lambda hold: hold.evidence.split(",") if hold.evidence else [])
    lifted_at = Instant(allow_none=True)
    lift_reason = fields.String()


class HoldOutcome(Schema):
    hold_id = fields.UUID()
    outcome = fields.Enum(RowResult)
    code = fields.String()


class HoldOutcomes(Schema):
    rows = fields.List(fields.Nested(HoldOutcome))
