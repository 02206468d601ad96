"""Bodies and queries of transfers between schools."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, Person, an_id, choice, place
from gateway.schemas.staffing import MOMENT
from services.identity.contract.person import LEARNER_NO_FORM
from services.org.contract.staffing import Employment
from services.org.contract.transfers import TransferLevel, TransferState

SIDES = ("RECEIVING", "LEAVING", "BOTH")


def learner_no(**options: Any) -> fields.String:
    metadata = {"description": "继续教育学号", "example": "1234567890128"}
    return fields.String(validate=validate.Regexp(rf"^{LEARNER_NO_FORM}\Z"), metadata=metadata, **options)


class TransferPreview(Schema):
    school_id = an_id(required=True)
    learner_no = learner_no(required=True)


class Previewed(ma.Schema):
    school_id = fields.String(metadata={"description": "Where the teacher is now.", "example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "海珠区实验小学"})
    employment = choice(Employment)
    level = choice(TransferLevel, allow_none=True, metadata={"description": "Who would decide."})
    refusal = fields.String(
        metadata={
            "description": "The code that a request would be refused with, else empty.",
            "example": "org.transfer_arrears",
        }
    )
    message = fields.String(metadata={"description": "The same in the language asked for."})


class NewTransfer(TransferPreview):
    note = Text(200, metadata={"description": "For whoever decides.", "example": "随迁"})


class Transfer(ma.Schema):
    transfer_id = fields.String(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    from_school_id = fields.String(metadata={"example": EXAMPLE_ID})
    from_school_name = fields.String(metadata={"example": "海珠区实验小学"})
    from_place = fields.String()
    to_school_id = fields.String(metadata={"example": EXAMPLE_ID})
    to_school_name = fields.String(metadata={"example": "越秀区实验小学"})
    to_place = fields.String()
    place = fields.String(metadata={"description": "The lowest above both schools.", "example": EXAMPLE_PLACE})
    level = choice(TransferLevel, metadata={"example": "CITY"})
    state = choice(TransferState, metadata={"example": "PENDING"})
    version = fields.Integer()
    note = fields.String()
    requested_at = fields.String(metadata={"example": MOMENT})
    decided_at = fields.String(allow_none=True)
    reason = fields.String(metadata={"description": "Of a rejection or withdrawal."})
    person = fields.Nested(Person, allow_none=True, metadata={"description": "Masked; null when out of reach."})


class TransfersQuery(Page):
    place = place(required=True)
    side = fields.String(load_default="BOTH", validate=validate.OneOf(SIDES))
    state = choice(TransferState)


class Transfers(PageReply):
    items = fields.List(fields.Nested(Transfer))


class Rejection(Schema):
    reason = Text(200, required=True, metadata={"example": "编制已满"})


class Withdrawal(Schema):
    reason = Text(200, metadata={"example": "误报"})
