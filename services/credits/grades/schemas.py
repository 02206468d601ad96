"""Shapes of the arguments and answers about grades."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.credits.contract.grades import WAITING, GradeState
from services.shared.fields import Instant
from services.shared.paging import Page


class ListHeld(Page):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    state = fields.Enum(GradeState, load_default=None, allow_none=True, validate=validate.OneOf((*WAITING, None)))
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(2000, 2200))
    cursor = fields.UUID(load_default=None, allow_none=True)


class HeldGradeShown(Schema):
    choice_id = fields.UUID()
    teacher_id = fields.UUID()
    course_no = fields.String()
    title = fields.String()
    passed = fields.Boolean()
    hours = fields.Decimal(as_string=True, places=2)
    year = fields.Integer()
    state = fields.String()
    recorded_at = Instant()
    changed_at = Instant()
