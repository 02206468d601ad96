"""Bodies and queries of the review of conspicuous study."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.learning.contract.reviews import Anomaly, ReviewState

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_STATES = [str(state) for state in ReviewState]


class StudyReviewsQuery(Page):
    place = Text(80, required=True, metadata={"example": "CN/450000/450100/450103"})
    state = fields.String(validate=validate.OneOf(_STATES), metadata={"example": "PENDING"})


class ReviewDecision(Schema):
    upheld = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "false clears the study of doubt: its time counts again.", "example": False},
    )
    reason = Text(2000, required=True, metadata={"example": "学校机房集中学习，情况属实"})


class ReviewAppeal(Schema):
    reason = Text(2000, required=True, metadata={"example": "本人在学校机房与同事一起学习"})


class ReviewStep(ma.Schema):
    act = fields.String(metadata={"description": "CLEAR, UPHOLD or APPEAL", "example": "UPHOLD"})
    state = fields.String(metadata={"example": "UPHELD"})
    reason = fields.String()
    at = fields.String(metadata={"example": "2023-01-11T02:00:00.000000Z"})


class StudyReview(ma.Schema):
    """While a review holds (every state but CLEARED) the time of its sittings does not count; none of it is deleted."""

    review_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    anomaly = fields.String(metadata={"description": ", ".join(Anomaly), "example": "SHARED_DEVICE"})
    studied_on = fields.String(metadata={"description": "The Beijing day.", "example": "2023-01-10"})
    found = fields.Dict(metadata={"description": "The figures.", "example": {"teachers": 12, "at_once": 4}})
    state = fields.String(metadata={"description": ", ".join(_STATES), "example": "PENDING"})
    found_at = fields.String()
    changed_at = fields.String()
    steps = fields.List(fields.Nested(ReviewStep), metadata={"description": "All that was done, in order."})


class StudyReviews(PageReply):
    items = fields.List(fields.Nested(StudyReview))
