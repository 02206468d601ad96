"""Shapes of the arguments and replies of grades."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.learning.contract.grades import GRADED_AT_ONCE
from services.shared.fields import Instant


class GradeRow(Schema):
    choice_id = fields.UUID(required=True)
    passed = fields.Boolean(required=True, truthy={True}, falsy={False})
    score = fields.Decimal(
        places=1, allow_nan=False, load_default=None, allow_none=True, validate=validate.Range(min=0, max=100)
    )
    reason = fields.String(load_default="", validate=validate.Length(max=2000))


class GradeChoices(Schema):
    grades = fields.List(fields.Nested(GradeRow), required=True, validate=validate.Length(min=1, max=GRADED_AT_ONCE))


class OneChoice(Schema):
    choice_id = fields.UUID(required=True)


class GradeDone(Schema):
    choice_id = fields.UUID()
    outcome = fields.String()
    code = fields.String()


class GradesDone(Schema):
    rows = fields.List(fields.Nested(GradeDone))


class GradeStep(Schema):
    passed = fields.Boolean()
    score = fields.Decimal(places=1, as_string=True, allow_none=True)
    reason = fields.String()
    at = Instant()


class GradeHistory(Schema):
    choice_id = fields.UUID()
    steps = fields.List(fields.Nested(GradeStep))
