"""Shapes of the arguments and answers of statistics."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.contract.statistics import Stage
from services.shared.paging import Page

MOST_DAYS = 400
_place = validate.Regexp(r"\ACN(/[0-9a-z-]{1,40}){0,4}\Z")


class OnePlace(Schema):
    # Without a programme: persons, registered and verified.
    programme_id = fields.UUID(load_default=None, allow_none=True)
    place = fields.String(required=True, validate=_place)


class Below(Page):
    programme_id = fields.UUID(load_default=None, allow_none=True)
    place = fields.String(required=True, validate=_place)
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=80))


class ByDay(OnePlace):
    first = fields.Date(required=True)
    last = fields.Date(required=True)

    @validates_schema
    def _is_a_span(self, data, **_):
        if not 0 <= (data["last"] - data["first"]).days < MOST_DAYS:
            raise ValidationError("the last day lies before the first, or too far after it", "last")


class Teachers(Page):
    programme_id = fields.UUID(required=True)
    place = fields.String(required=True, validate=_place)
    stage = fields.Enum(Stage, load_default=None, allow_none=True)
    # The place and the teacher that the page before ended with.
    cursor = fields.Tuple((fields.String(), fields.UUID()), load_default=None, allow_none=True)


class Reconcile(Schema):
    after = fields.List(fields.String(), load_default=None, allow_none=True)
    limit = fields.Integer(load_default=500, strict=True)


class Figures(Schema):
    place = fields.String()
    registered = fields.Integer()
    verified = fields.Integer()
    enrolled = fields.Integer()
    studying = fields.Integer()
    finished = fields.Integer()
    certified = fields.Integer()
    hours = fields.Decimal(as_string=True, places=2)


class DayFigures(Figures):
    day = fields.Date()
