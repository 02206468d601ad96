"""Arguments and replies of org/transfers."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.identity.contract.person import LEARNER_NO_FORM
from services.org.contract.staffing import MAX_AT_ONCE, RowResult
from services.org.contract.transfers import HoldEvidence, HoldKind, HoldState, TransferState
from services.org.schemas import Place, Text
from services.org.transfers.queries import Side
from services.shared.fields import Instant
from services.shared.paging import Page


def LearnerNo(**options: Any) -> fields.String:  # noqa: N802  reads as the field it makes
    return fields.String(validate=validate.Regexp(re.compile(rf"(?:{LEARNER_NO_FORM})\Z")), **options)


class Preview(Schema):
    school_id = fields.UUID(required=True)
    learner_no = LearnerNo(required=True)


class Request(Preview):
    note = Text(200, load_default="")


class TransferId(Schema):
    transfer_id = fields.UUID(required=True)


class Reject(TransferId):
    reason = Text(200, required=True)


class Withdraw(TransferId):
    reason = Text(200, load_default="")


class ListTransfers(Page):
    place = Place(required=True)
    side = fields.Enum(Side, load_default=Side.BOTH)
    state = fields.Enum(TransferState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListMine(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class PreviewReply(Schema):
    school_id = fields.UUID()
    school_name = fields.String()
    employment = fields.String()
    level = fields.String(allow_none=True)
    refusal = fields.String()


class Transfer(Schema):
    transfer_id = fields.UUID()
    teacher_id = fields.UUID()
    from_school_id = fields.UUID()
    from_school_name = fields.String()
    from_place = fields.String()
    to_school_id = fields.UUID()
    to_school_name = fields.String()
    to_place = fields.String()
    place = fields.String()
    level = fields.String()
    state = fields.String()
    version = fields.Integer()
    note = fields.String()
    requested_at = Instant()
    decided_at = Instant(allow_none=True)
    reason = fields.String()


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

    hold_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MAX_AT_ONCE))
    evidence = Evidence()
    period = Text(60, required=True)
    course = Text(100, required=True)
    reason = Text(200, required=True)


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
