"""Shapes of the arguments and replies of reviews."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.learning.contract.reviews import ReviewState
from services.shared.fields import Instant
from services.shared.paging import Page

_text = validate.Length(min=1, max=2000)


class ListOwnReviews(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListReviews(ListOwnReviews):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    state = fields.Enum(ReviewState, load_default=None, allow_none=True)


class Decision(Schema):
    review_id = fields.UUID(required=True)
    upheld = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = fields.String(required=True, validate=_text)


class Appeal(Schema):
    review_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=_text)


class Step(Schema):
    act = fields.String()
    state = fields.String()
    reason = fields.String()
    at = Instant()


class Review(Schema):
    review_id = fields.UUID()
    teacher_id = fields.UUID()
    anomaly = fields.String()
    studied_on = fields.Date()
    found = fields.Dict()
    state = fields.String()
    found_at = Instant()
    changed_at = Instant()
    steps = fields.List(fields.Nested(Step))
