"""Bodies and queries of question banks."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.catalog import EXAMPLE_ID, Titles
from services.catalog.contract.questions import QuestionKind

_PLACE = {"example": "CN/350000/350300"}


class BanksQuery(Page):
    place = Text(80, required=True, metadata=_PLACE)


class BankQuery(Schema):
    version = fields.Integer(
        metadata={"description": "A published version; absent: the draft, else the newest.", "example": 1}
    )


class Bank(ma.Schema):
    bank_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    code = fields.String(metadata={"example": "putian-2026-single"})
    place = fields.String(metadata=_PLACE)
    titles = fields.Nested(Titles)
    version = fields.Integer(metadata={"description": "The newest published one; 0: none yet.", "example": 1})
    questions = fields.Integer(metadata={"description": "How many that version has.", "example": 10})
    has_draft = fields.Boolean(metadata={"description": "Whether something was imported that is not published."})
    changed_at = fields.String(metadata={"example": "2026-01-10T02:00:00.000000Z"})


class Question(ma.Schema):
    """Without its answers: these go to the judge alone."""

    key = fields.String(metadata={"example": "s01"})
    kind = fields.String(metadata={"description": ", ".join(QuestionKind), "example": "SINGLE"})
    prompt = fields.String()
    options = fields.List(fields.String())
    analysis = fields.String()


class BankDetail(Bank):
    items = fields.List(fields.Nested(Question))


class Banks(PageReply):
    items = fields.List(fields.Nested(Bank))
