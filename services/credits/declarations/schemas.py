"""Shapes of the arguments and answers of declarations."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.contract.declarations import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TYPES,
    DeclarationState,
    DeclaredKind,
)
from services.credits.contract.recognisers import Recogniser
from services.credits.evaluation_schemas import AMOUNT, ItemGiven
from services.shared.fields import Instant, is_plain_line
from services.shared.paging import Page

_year = validate.Range(min=1990, max=2200)


def _line(text):
    if not is_plain_line(text):
        raise ValidationError("not a plain line")


def _named(longest, **options):
    return fields.String(validate=[validate.Length(min=1, max=longest), _line], **options)


class DeclarationText(Schema):
    year = fields.Integer(required=True, strict=True, validate=_year)
    kind = fields.Enum(DeclaredKind, required=True)
    title = _named(200, required=True)
    institution = _named(200, required=True)
    # Either hours, or an activity of the place's table with its quantity.
    hours = fields.String(load_default=None, allow_none=True, validate=AMOUNT)
    item = fields.Nested(ItemGiven, load_default=None, allow_none=True)
    started_on = fields.Date(required=True)
    ended_on = fields.Date(required=True)
    hour_type = fields.String(load_default="", validate=validate.Length(max=40))
    training_form = fields.String(load_default="", validate=validate.Length(max=40))
    note = fields.String(load_default="", validate=validate.Length(max=1000))

    @validates_schema
    def _says_how_much(self, data, **_):
        if data.get("hours") is None and data.get("item") is None:
            raise ValidationError("either hours or an activity of the table", "hours")
        if data.get("hours") is not None and data.get("item") is not None:
            raise ValidationError("an activity of the table is not declared in hours", "hours")


class DeclarationId(Schema):
    declaration_id = fields.UUID(required=True)


class EditedDeclaration(DeclarationText):
    declaration_id = fields.UUID(required=True)


class PrepareAttachment(DeclarationId):
    sha256 = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))
    media_type = fields.String(required=True, validate=validate.OneOf(ATTACHMENT_TYPES))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(1, ATTACHMENT_BYTES))


class AttachmentId(DeclarationId):
    attachment_id = fields.UUID(required=True)


class KeepAttachment(AttachmentId):
    storage_key = fields.String(required=True, validate=validate.Length(min=1, max=100))


class Opinion(DeclarationId):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=500))


class ListOwnDeclarations(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListDeclarations(Page):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    state = fields.Enum(DeclarationState, load_default=None, allow_none=True)
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_year)
    kind = fields.Enum(DeclaredKind, load_default=None, allow_none=True)
    recogniser = fields.Enum(Recogniser, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class AttachmentShown(Schema):
    attachment_id = fields.UUID()
    media_type = fields.String()
    size = fields.Integer()
    added_at = Instant()


class Round(Schema):
    round = fields.Integer()
    content = fields.Dict()
    submitted_at = Instant()
    first_outcome = fields.String(allow_none=True)
    first_reason = fields.String()
    first_at = Instant(allow_none=True)
    final_outcome = fields.String(allow_none=True)
    final_reason = fields.String()
    final_at = Instant(allow_none=True)


class Declaration(Schema):
    declaration_id = fields.UUID()
    teacher_id = fields.UUID()
    year = fields.Integer()
    kind = fields.String()
    state = fields.String()
    round = fields.Integer()
    version = fields.Integer()
    content = fields.Dict()
    recogniser = fields.String(allow_none=True)
    created_at = Instant()
    changed_at = Instant()


class Assessment(Schema):
    """What the declaration comes to: as approved, or as it would be if it were approved now."""

    unit = fields.String()
    amount = fields.Decimal(as_string=True, places=2)
    rule_id = fields.String()
    rule = fields.Dict(allow_none=True)
    pack_id = fields.String()
    pack_status = fields.String()
    why = fields.String()


class DeclarationWithRounds(Declaration):
    rounds = fields.List(fields.Nested(Round))


class DeclarationPage(Schema):
    items = fields.List(fields.Nested(Declaration))
    next_cursor = fields.String(allow_none=True)
