"""Bodies of notices."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import PageReply, Schema
from gateway.schemas.identity import EXAMPLE_ID, EXAMPLE_INSTANT, choice
from services.identity.contract.notices import CHANNELS, LANGUAGES, NoticeKind, NoticeState


class Notice(ma.Schema):
    notice_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    kind = choice(tuple(NoticeKind), "MEMBERSHIP_VERIFIED")
    channel = choice(CHANNELS, "SMS", "Warnings go to a confirmed e-mail address too.")
    state = choice(tuple(NoticeState), "SENT", "CAPPED: kept here only, because the day's messages were used up.")
    text = fields.String(metadata={"example": "【研修】实验小学已通过您的教师身份审核。"})
    created_at = fields.String(metadata={"example": EXAMPLE_INSTANT})
    sent_at = fields.String(allow_none=True)


class Notices(PageReply):
    items = fields.List(fields.Nested(Notice))


class Language(Schema):
    language = choice(LANGUAGES, "zh", required=True)
