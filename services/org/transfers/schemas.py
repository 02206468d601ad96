"""Arguments and replies of org/transfers."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from services.identity.contract.person import LEARNER_NO_FORM
from services.org.contract.transfers import TransferState
from services.org.schemas import Place
from services.org.transfers.queries import Side
from services.shared.fields import Instant, Text
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
