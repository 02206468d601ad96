"""Bodies and queries of declared hours."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import File, Page, PageReply, Schema, Text, Whole
from services.credits.contract.declarations import DeclarationState, DeclaredKind
from services.credits.contract.recognisers import Recogniser

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_KIND = {"description": "What was done.", "example": "DECLARATION"}
_STATES = [str(state) for state in DeclarationState]
_LEVELS = [str(level) for level in Recogniser]
_RECOGNISER = {"description": f"Which level recognised it: {', '.join(_LEVELS)}.", "example": "COUNTY"}
_KINDS = [str(kind) for kind in DeclaredKind]


class DeclaredItem(Schema):
    """An activity of the table by which the teacher's place pays, with its quantity or its case."""

    item = Text(80, required=True, metadata={"description": "The line of the table.", "example": "GXS.7"})
    half_days = Whole(metadata={"example": 8})
    hours = Whole(metadata={"example": 36})
    years = Whole(metadata={"example": 1})
    count = Whole(metadata={"example": 4})
    ten_thousand_characters = Whole(metadata={"example": 10})
    level = Text(80, metadata={"description": "nation, province, city, county or school.", "example": "city"})
    work = Text(80, metadata={"description": "journal, monograph or contest.", "example": "journal"})
    prize = Text(80, metadata={"example": "first"})
    role = Text(80, metadata={"example": "coach"})


class NewDeclaration(Schema):
    """Training or other work outside the platform, in hours or as an activity of the place's table; it belongs to the year in
    which it ended."""

    year = fields.Integer(required=True, strict=True, validate=validate.Range(1990, 2200), metadata={"example": 2023})
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS), metadata=_KIND)
    title = Text(200, required=True, metadata={"example": "全国小学数学教学研讨会"})
    institution = Text(200, required=True, metadata={"example": "中国教育学会"})
    hours = fields.String(
        validate=validate.Length(max=12),
        metadata={"description": "A decimal string, more than 0; unless `item` says how much.", "example": "12"},
    )
    item = fields.Nested(DeclaredItem, metadata={"description": "Instead of hours, where the place pays by a table."})
    started_on = fields.Date(required=True, metadata={"example": "2023-10-01"})
    ended_on = fields.Date(required=True, metadata={"example": "2023-10-03"})
    hour_type = fields.String(validate=validate.Length(max=40), metadata={"example": "专业科目"})
    training_form = fields.String(validate=validate.Length(max=40), metadata={"example": ""})
    note = fields.String(validate=validate.Length(max=1000), metadata={"example": ""})


class DeclarationsQuery(Page):
    place = Text(
        80, required=True, metadata={"description": "A place in the tree.", "example": "CN/440000/440100/440103"}
    )
    state = fields.String(validate=validate.OneOf(_STATES), metadata={"example": "FIRST_REVIEW"})
    year = fields.Integer(validate=validate.Range(1990, 2200), metadata={"example": 2023})
    kind = fields.String(validate=validate.OneOf(_KINDS), metadata=_KIND)
    recogniser = fields.String(validate=validate.OneOf(_LEVELS), metadata=_RECOGNISER)


class DeclarationReason(Schema):
    reason = Text(500, required=True, metadata={"example": "缺少结业证明"})


class Declaration(ma.Schema):
    declaration_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    year = fields.Integer(metadata={"example": 2023})
    kind = fields.String(metadata=_KIND)
    state = fields.String(metadata={"description": ", ".join(_STATES), "example": "FIRST_REVIEW"})
    round = fields.Integer(metadata={"description": "How often it was submitted.", "example": 1})
    version = fields.Integer(metadata={"example": 2})
    content = fields.Dict(metadata={"description": "The present text: title, institution, hours, dates, types, note."})
    recogniser = fields.String(allow_none=True, metadata=_RECOGNISER)
    created_at = fields.String(metadata={"example": "2023-11-20T02:00:00.000000Z"})
    changed_at = fields.String(metadata={"example": "2023-11-20T02:00:00.000000Z"})


class Proof(Schema):
    file = File("PDF, JPEG or PNG of at most 10 MB.", required=True)


class AttachmentAdded(ma.Schema):
    attachment_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    attachments = fields.Integer(metadata={"description": "Of the next round so far, ten at most.", "example": 1})


class Attachment(ma.Schema):
    attachment_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    media_type = fields.String(metadata={"example": "application/pdf"})
    size = fields.Integer(metadata={"example": 48213})
    added_at = fields.String(metadata={"example": "2023-11-20T02:00:00.000000Z"})


class DeclarationRound(ma.Schema):
    """One submission as it was, with both opinions."""

    round = fields.Integer(metadata={"example": 1})
    content = fields.Dict()
    submitted_at = fields.String()
    first_outcome = fields.String(allow_none=True, metadata={"description": "PASS or RETURN."})
    first_reason = fields.String()
    first_at = fields.String(allow_none=True)
    final_outcome = fields.String(allow_none=True, metadata={"description": "APPROVE or RETURN."})
    final_reason = fields.String()
    final_at = fields.String(allow_none=True)
    attachments = fields.List(fields.Nested(Attachment))


class Assessment(ma.Schema):
    """What a declaration comes to: as it was approved, or as it would be if it were approved now."""

    unit = fields.String(metadata={"example": "CREDIT"})
    amount = fields.String(metadata={"example": "3.00"})
    rule_id = fields.String(metadata={"example": "GXS.7"})
    rule = fields.Dict(allow_none=True, metadata={"description": "The rule in words, Chinese and English."})
    pack_id = fields.String(metadata={"example": "guangxi-school-based-sample"})
    pack_status = fields.String(metadata={"description": "ACTIVE, or SAMPLE: its numbers have no citable source."})
    why = fields.String(metadata={"description": "Every step that changed a number."})


class DeclarationDetail(Declaration):
    assessment = fields.Nested(Assessment, allow_none=True)
    rounds = fields.List(fields.Nested(DeclarationRound))
    attachments = fields.List(
        fields.Nested(Attachment),
        metadata={"description": "Of the next round; told to its author while it can be edited."},
    )


class Declarations(PageReply):
    items = fields.List(fields.Nested(Declaration))
