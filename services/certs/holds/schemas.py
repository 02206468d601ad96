"""Shapes of the arguments and answers of holds."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.shared.fields import Instant


class Nothing(Schema):
    pass


class LiftHold(Schema):
    programme_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=4, max=500))


class Hold(Schema):
    programme_id = fields.UUID()
    day = fields.Date()
    differences = fields.Integer()
    held_at = Instant()
    lifted_at = Instant(allow_none=True)
    reason = fields.String()
