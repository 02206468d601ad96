"""Shapes of learning's arguments and replies."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_dump, validate

from services.learning.contract.tokens import PLAY_TOKEN_LIFETIME
from services.learning.study.rules.presence import ANSWER_WITHIN_SECONDS
from services.shared import clock
from services.shared.fields import Instant
from services.shared.paging import Page

_CLIENT_ID = validate.Regexp(r"\A[A-Za-z0-9._:-]{8,64}\Z")


class RangeList(fields.Field[Any]):
    """Half-open ranges of whole seconds, `[[0, 60]]`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> list[list[int]]:
        return [list(part) for part in value]


# --- arguments ----------------------------------------------------------------------------------------------------------


class Enrol(Schema):
    programme_id = fields.UUID(required=True)


class EnrolmentCursor(fields.Field[Any]):
    """The last row of the page before: [enrolled_at, programme_id]."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        try:
            enrolled_at, programme_id = value
            return clock.parse_instant(enrolled_at), fields.UUID().deserialize(programme_id)
        except (TypeError, ValueError):
            raise ValidationError("not a cursor of this list") from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> list[str] | None:
        return None if value is None else [clock.format_instant(value.enrolled_at), str(value.programme_id)]


class ListEnrolments(Page):
    cursor = EnrolmentCursor(load_default=None, allow_none=True)


class GetProgress(Schema):
    programme_id = fields.UUID(required=True)


class OpenStudySession(Schema):
    activity_id = fields.UUID(required=True)
    client_id = fields.String(required=True, validate=_CLIENT_ID)
    take_over = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class RenewPlayToken(Schema):
    study_session_id = fields.UUID(required=True)


class ConfirmPresence(Schema):
    study_session_id = fields.UUID(required=True)


class ReconcileStudy(Schema):
    """A page of pairs (teacher, activity) after the named one."""

    after = fields.Tuple((fields.UUID(), fields.UUID()), load_default=None, allow_none=True)
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(1, 1000))


class AnswerQuiz(Schema):
    study_session_id = fields.UUID(required=True)
    quiz_id = fields.UUID(required=True)
    answers = fields.List(
        fields.String(validate=validate.Length(min=1, max=200)),
        required=True,
        validate=validate.Length(min=1, max=10),
    )


# --- replies ------------------------------------------------------------------------------------------------------------


class Enrolment(Schema):
    teacher_id = fields.UUID()
    programme_id = fields.UUID()
    code = fields.String()
    enrolled_at = Instant()
    opens_at = Instant()
    closes_at = Instant()
    programme_state = fields.String()


class EnrolmentPage(Schema):
    items = fields.List(fields.Nested(Enrolment))
    next_cursor = EnrolmentCursor(allow_none=True)


class OpenedSession(Schema):
    study_session_id = fields.UUID()
    play_token = fields.String()
    expires_in_seconds = fields.Constant(int(PLAY_TOKEN_LIFETIME.total_seconds()))
    fence = fields.Integer()
    activity_id = fields.UUID()
    duration_seconds = fields.Integer()
    silence_limit_seconds = fields.Integer()
    prompt_in_seconds = fields.Integer(allow_none=True)
    answer_within_seconds = fields.Constant(ANSWER_WITHIN_SECONDS)
    counts = fields.Boolean()
    reasons = fields.List(fields.String())
    seen = RangeList()
    countable = RangeList()
    answered = fields.List(fields.UUID())


class RenewedSession(Schema):
    study_session_id = fields.UUID()
    state = fields.String()
    play_token = fields.String(allow_none=True)
    expires_in_seconds = fields.Constant(int(PLAY_TOKEN_LIFETIME.total_seconds()))
    fence = fields.Integer()
    durable_seq = fields.Integer()
    prompt_in_seconds = fields.Integer(allow_none=True)

    @post_dump
    def _nothing_expires_without_token(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data if data["play_token"] else {**data, "expires_in_seconds": 0}


class ConfirmedPresence(Schema):
    study_session_id = fields.UUID()
    prompt_in_seconds = fields.Integer(allow_none=True)


class JudgedAnswer(Schema):
    quiz_id = fields.UUID()
    right = fields.Boolean()
    attempts = fields.Integer()
    answered_at = Instant(allow_none=True)
    reasons = fields.List(fields.String())


class QuizProgress(Schema):
    quiz_id = fields.UUID()
    at_seconds = fields.Integer()
    state = fields.String()
    attempts = fields.Integer()
    answered_at = Instant(allow_none=True)


class VideoProgress(Schema):
    activity_id = fields.UUID()
    key = fields.String()
    title = fields.String()
    duration_seconds = fields.Integer()
    studied_seconds = fields.Integer()
    countable_seconds = fields.Integer()
    held_seconds = fields.Integer()
    seen = RangeList()
    countable = RangeList()
    quizzes = fields.List(fields.Nested(QuizProgress))
    reasons = fields.List(fields.String())


class CourseProgress(Schema):
    course_id = fields.UUID()
    key = fields.String()
    title = fields.String()
    opens_at = Instant()
    quiz_required = fields.Boolean()
    studied_seconds = fields.Integer()
    countable_seconds = fields.Integer()
    held_seconds = fields.Integer()
    reasons = fields.List(fields.String())
    videos = fields.List(fields.Nested(VideoProgress))


class ProgrammeProgress(Schema):
    teacher_id = fields.UUID()
    programme_id = fields.UUID()
    code = fields.String()
    enrolled_at = Instant()
    closes_at = Instant()
    as_of = Instant()
    courses = fields.List(fields.Nested(CourseProgress))


class Difference(Schema):
    teacher_id = fields.UUID()
    activity_id = fields.UUID()
    study_session_id = fields.UUID(allow_none=True)
    counter = fields.String()
    kept = fields.String()
    rebuilt = fields.String()


class Reconciliation(Schema):
    checked = fields.Integer()
    differences = fields.List(fields.Nested(Difference))
    after = fields.List(fields.UUID(), allow_none=True)
