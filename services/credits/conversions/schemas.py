"""Shapes of the arguments and answers of conversions."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.shared.fields import Instant

_source = validate.Length(min=1, max=200)


class AmountsOfYear(Schema):
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(required=True, strict=True, validate=validate.Range(min=1990, max=2200))


class ConvertAmount(Schema):
    teacher_id = fields.UUID(required=True)
    source_ref = fields.String(required=True, validate=_source)
    # As which category of the place's rules it counts; "" for none: it then counts in the total only.
    category = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))
    reason = fields.String(required=True, validate=validate.Length(min=1, max=500))


class UndoConversion(Schema):
    teacher_id = fields.UUID(required=True)
    source_ref = fields.String(required=True, validate=_source)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=500))


class Converted(Schema):
    """What an amount comes to in the unit of the place, and by which rule of which pack."""

    unit = fields.String()
    amount = fields.Decimal(as_string=True, places=2)
    rule_id = fields.String()
    pack_id = fields.String()
    category = fields.String()
    why = fields.String()
    entry_id = fields.UUID(allow_none=True)
    recogniser = fields.String(allow_none=True)
    recorded_at = Instant(allow_none=True)


class Conversion(Schema):
    """An amount in another unit than the place's, and what became of it, or would become."""

    source_ref = fields.String()
    year = fields.Integer()
    unit = fields.String()
    amount = fields.Decimal(as_string=True, places=2)
    state = fields.String()
    converted = fields.Nested(Converted, allow_none=True)


class Conversions(Schema):
    teacher_id = fields.UUID()
    year = fields.Integer()
    unit = fields.String()
    categories = fields.List(fields.String())
    items = fields.List(fields.Nested(Conversion))
