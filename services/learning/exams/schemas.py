"""Shapes of the arguments and replies of exams."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.shared.fields import Instant

_CLIENT_ID = validate.Regexp(r"\A[A-Za-z0-9._:-]{8,64}\Z")


class OfProgramme(Schema):
    programme_id = fields.UUID(required=True)


class OfExam(Schema):
    exam_id = fields.UUID(required=True)


class StartAttempt(OfExam):
    client_id = fields.String(required=True, validate=_CLIENT_ID)
    take_over = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class AttemptId(Schema):
    attempt_id = fields.UUID(required=True)


class SubmitAttempt(AttemptId):
    fence = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=2**31 - 1))


class Answer(Schema):
    question_id = fields.UUID(required=True)
    given = fields.List(
        fields.String(validate=validate.Length(min=1, max=200)), required=True, validate=validate.Length(max=10)
    )


class SaveAnswers(SubmitAttempt):
    answers = fields.List(fields.Nested(Answer), required=True, validate=validate.Length(min=1, max=200))


# --- replies ------------------------------------------------------------------------------------------------------------


class Condition(Schema):
    course_id = fields.UUID()
    title = fields.String()
    seconds = fields.Integer()
    watched_seconds = fields.Integer()
    missing_seconds = fields.Integer()


class ExamShown(Schema):
    exam_id = fields.UUID()
    course_id = fields.UUID(allow_none=True)
    key = fields.String()
    titles = fields.Dict()
    opens_at = Instant()
    closes_at = Instant()
    minutes = fields.Integer()
    pass_mark = fields.Integer()
    attempts_allowed = fields.Integer()
    attempts_used = fields.Integer()
    questions = fields.Integer()
    after = fields.List(fields.Nested(Condition))
    open_attempt_id = fields.UUID(allow_none=True)
    score = fields.Decimal(as_string=True, places=2, allow_none=True)
    passed = fields.Boolean()
    reasons = fields.List(fields.String())


class Exams(Schema):
    items = fields.List(fields.Nested(ExamShown))


class AttemptSummary(Schema):
    attempt_id = fields.UUID()
    exam_id = fields.UUID()
    programme_id = fields.UUID()
    number = fields.Integer()
    state = fields.String()
    fence = fields.Integer()
    started_at = Instant()
    deadline_at = Instant()
    ended_at = Instant(allow_none=True)
    remaining_seconds = fields.Integer()
    questions = fields.Integer()
    answered = fields.Integer()
    pass_mark = fields.Integer()
    score = fields.Decimal(as_string=True, places=2, allow_none=True)
    passed = fields.Boolean(allow_none=True)


class Attempts(Schema):
    items = fields.List(fields.Nested(AttemptSummary))


class Item(Schema):
    question_id = fields.UUID()
    kind = fields.String()
    prompt = fields.String()
    options = fields.List(fields.String())
    points = fields.Integer()
    given = fields.List(fields.String())
    right = fields.Boolean(allow_none=True)
    analysis = fields.String(allow_none=True)


class Attempt(AttemptSummary):
    titles = fields.Dict()
    items = fields.List(fields.Nested(Item))


class Saved(Schema):
    attempt_id = fields.UUID()
    answered = fields.Integer()
    questions = fields.Integer()
    remaining_seconds = fields.Integer()
