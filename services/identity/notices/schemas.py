"""Arguments and replies about notices."""

from __future__ import annotations

from marshmallow import Schema, fields

from services.identity.contract import notices as contract
from services.identity.schemas import Arguments, choice
from services.shared.fields import Instant
from services.shared.paging import Page


class ListNotices(Page, Arguments):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ChooseLanguage(Arguments):
    language = choice(contract.LANGUAGES, required=True)


class NoticeShown(Schema):
    notice_id = fields.UUID(attribute="id")
    kind = fields.String()
    channel = fields.String()
    state = fields.String()
    text = fields.String()
    created_at = Instant()
    sent_at = Instant()
