"""Bodies of exams."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Schema, Text, Whole
from gateway.schemas.catalog import EXAMPLE_ID, Titles

_AT = {"example": "2026-03-02T02:00:00.000000Z"}
_SCORE = {"description": "Of 100; cut off, never rounded up.", "example": "85.00"}
_STATES = ("OPEN", "SUBMITTED", "EXPIRED")


class NewAttempt(Schema):
    client_id = Text(
        64,
        shortest=8,
        required=True,
        metadata={"description": "Names this device; the same as for study sessions.", "example": "8f2b41c09d"},
    )
    take_over = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Go on here with an attempt that is open on another device."},
    )


class GivenAnswer(Schema):
    question_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    given = fields.List(
        Text(),
        required=True,
        validate=validate.Length(max=10),
        metadata={
            "description": "The chosen options as they are written; none clears the answer.",
            "example": ["45分钟"],
        },
    )


_FENCE = {"description": "That of the attempt as this device got it.", "example": 1}


class Answers(Schema):
    fence = Whole(required=True, metadata=_FENCE)
    answers = fields.List(fields.Nested(GivenAnswer), required=True, validate=validate.Length(1, 200))


class Submission(Schema):
    fence = Whole(required=True, metadata=_FENCE)


class Saved(ma.Schema):
    attempt_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    answered = fields.Integer(metadata={"example": 12})
    questions = fields.Integer(metadata={"example": 20})
    remaining_seconds = fields.Integer(metadata={"description": "By the server's clock.", "example": 1800})


class Condition(ma.Schema):
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    title = fields.String(metadata={"example": "公共模块"})
    seconds = fields.Integer(metadata={"example": 43200})
    watched_seconds = fields.Integer(metadata={"description": "Of videos watched to their end.", "example": 39600})
    missing_seconds = fields.Integer(metadata={"example": 3600})


class Exam(ma.Schema):
    """An exam, and how the caller stands at it."""

    exam_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(allow_none=True, metadata={"description": "Null for the exam of the whole programme."})
    key = fields.String(metadata={"example": "final"})
    titles = fields.Nested(Titles)
    opens_at = fields.String(metadata=_AT)
    closes_at = fields.String(metadata=_AT)
    minutes = fields.Integer(metadata={"example": 60})
    pass_mark = fields.Integer(metadata={"description": "Of 100.", "example": 60})
    attempts_allowed = fields.Integer(metadata={"example": 3})
    attempts_used = fields.Integer(metadata={"example": 1})
    questions = fields.Integer(metadata={"example": 20})
    after = fields.List(fields.Nested(Condition), metadata={"description": "What has to be watched first."})
    open_attempt_id = fields.UUID(allow_none=True)
    score = fields.String(allow_none=True, metadata={**_SCORE, "description": "The best so far, of 100."})
    passed = fields.Boolean()
    reasons = fields.List(
        fields.String(),
        metadata={"description": "Why no attempt can begin now, as codes.", "example": ["learning.exam_study_first"]},
    )


class Exams(ma.Schema):
    items = fields.List(fields.Nested(Exam))


class AttemptSummary(ma.Schema):
    attempt_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    exam_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    programme_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    number = fields.Integer(metadata={"example": 1})
    state = fields.String(validate=validate.OneOf(_STATES), metadata={"example": "OPEN"})
    fence = fields.Integer(metadata={"description": "To be sent with answers and submission.", "example": 1})
    started_at = fields.String(metadata=_AT)
    deadline_at = fields.String(metadata={**_AT, "description": "The first instant that no longer counts."})
    ended_at = fields.String(allow_none=True, metadata=_AT)
    remaining_seconds = fields.Integer(metadata={"description": "By the server's clock.", "example": 3600})
    questions = fields.Integer(metadata={"example": 20})
    answered = fields.Integer(metadata={"example": 12})
    pass_mark = fields.Integer(metadata={"example": 60})
    score = fields.String(allow_none=True, metadata=_SCORE)
    passed = fields.Boolean(allow_none=True)


class Attempts(ma.Schema):
    items = fields.List(fields.Nested(AttemptSummary))


class Item(ma.Schema):
    """A question as this attempt shows it. `right` and `analysis` are told when no further attempt can follow."""

    question_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    kind = fields.String(metadata={"description": "SINGLE, MULTIPLE or TRUE_FALSE", "example": "SINGLE"})
    prompt = fields.String()
    options = fields.List(fields.String())
    points = fields.Integer(metadata={"example": 4})
    given = fields.List(fields.String(), metadata={"description": "What is saved."})
    right = fields.Boolean(allow_none=True)
    analysis = fields.String(allow_none=True)


class Attempt(AttemptSummary):
    titles = fields.Nested(Titles)
    items = fields.List(fields.Nested(Item))
