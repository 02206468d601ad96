"""Shapes of the arguments and answers of verification."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.contract.verification import ComplaintAbout, ComplaintState
from services.credits.evaluation_schemas import AMOUNT
from services.shared.fields import Instant
from services.shared.paging import Page

_year = validate.Range(min=1990, max=2200)
_text = validate.Length(min=1, max=2000)


class OneYear(Schema):
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(required=True, strict=True, validate=_year)
    # What was known then: entries recorded later are not looked at.
    as_of = fields.AwareDateTime(load_default=None, allow_none=True, format="iso")


class OneSheet(Schema):
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(required=True, strict=True, validate=_year)


class ListYears(Page):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    year = fields.Integer(required=True, strict=True, validate=_year)
    met = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    # Frozen years, unless open ones (False) or both (None) are asked for: lists are printed of frozen ones only.
    frozen = fields.Boolean(load_default=True, allow_none=True, truthy={True}, falsy={False})
    # The place and the teacher that the page before ended with.
    cursor = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=2))


class OneCycle(Schema):
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_year)
    as_of = fields.AwareDateTime(load_default=None, allow_none=True, format="iso")


class YearOfPlace(Schema):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    year = fields.Integer(required=True, strict=True, validate=_year)


class PlaceTotals(Schema):
    place = fields.String()
    teachers = fields.Integer()  # whose year is frozen
    met = fields.Integer()
    open_teachers = fields.Integer()  # whose year is open, as of last night
    open_met = fields.Integer()


class Summary(PlaceTotals):
    year = fields.Integer()
    computed_at = Instant(allow_none=True)
    below = fields.List(fields.Nested(PlaceTotals))


class NewComplaint(Schema):
    year = fields.Integer(required=True, strict=True, validate=_year)
    about = fields.Enum(ComplaintAbout, required=True)
    text = fields.String(required=True, validate=_text)


class ComplaintId(Schema):
    complaint_id = fields.UUID(required=True)


class Reopening(ComplaintId):
    text = fields.String(required=True, validate=_text)


class Correction(Schema):
    """Take an entry back, or add an amount in the pack's unit."""

    reverse_entry_id = fields.UUID()
    amount = fields.String(validate=AMOUNT)
    hour_type = fields.String(validate=validate.Length(max=40))
    training_form = fields.String(validate=validate.Length(max=40))

    @validates_schema
    def _is_one_thing(self, data, **_):
        if ("reverse_entry_id" in data) == ("amount" in data):
            raise ValidationError("either an entry to take back or an amount to add", "amount")
        if "amount" in data and not float(data["amount"]):
            raise ValidationError("must be more than nothing", "amount")


class Answer(ComplaintId):
    accepted = fields.Boolean(required=True, truthy={True}, falsy={False})
    reply = fields.String(required=True, validate=_text)
    corrections = fields.List(fields.Nested(Correction), load_default=list, validate=validate.Length(max=20))

    @validates_schema
    def _corrects_what_is_accepted(self, data, **_):
        if data["corrections"] and not data["accepted"]:
            raise ValidationError("a refused complaint corrects nothing", "corrections")


class ListOwnComplaints(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListComplaints(ListOwnComplaints):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    state = fields.Enum(ComplaintState, load_default=None, allow_none=True)


class Complaint(Schema):
    complaint_id = fields.UUID()
    teacher_id = fields.UUID()
    year = fields.Integer()
    about = fields.String()
    text = fields.String()
    state = fields.String()
    version = fields.Integer()
    accepted = fields.Boolean(allow_none=True)
    reply = fields.String()
    reopened = fields.Boolean()
    filed_at = Instant()
    changed_at = Instant()
