"""HTTP bodies of learning: enrolments, study sessions, study reports, progress."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import PageReply, Schema, Text, Whole
from services.learning.contract import reports

CLIENT_ID = validate.Regexp(r"\A[A-Za-z0-9._:-]{8,64}\Z", error="Must be 8 to 64 letters, digits or . _ : -")


def _reasons() -> fields.List:
    return fields.List(
        fields.String(),
        metadata={"description": "Codes that say why time does not count.", "example": ["learning.quiz_unanswered"]},
    )


def _ranges(description: str) -> fields.List:
    return fields.List(
        fields.List(fields.Integer()),
        metadata={
            "description": f"{description} Half-open ranges of whole seconds.",
            "example": [[0, 600], [720, 900]],
        },
    )


# --- enrolment ----------------------------------------------------------------------------------------------------------


class EnrolmentRequest(Schema):
    programme_id = fields.UUID(required=True, metadata={"description": "From the list of programmes."})


class Enrolment(ma.Schema):
    teacher_id = fields.UUID()
    programme_id = fields.UUID()
    code = fields.String(metadata={"example": "2023-winter"})
    enrolled_at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    opens_at = fields.String(metadata={"example": "2022-12-01T16:00:00.000000Z"})
    closes_at = fields.String(metadata={"description": "The first instant that no longer counts."})
    programme_state = fields.String(validate=validate.OneOf(("PLANNED", "OPEN", "CLOSED")))


class EnrolmentPage(PageReply):
    items = fields.List(fields.Nested(Enrolment))


# --- study sessions -----------------------------------------------------------------------------------------------------


class StudySessionRequest(Schema):
    activity_id = fields.UUID(required=True, metadata={"description": "The video to study."})
    client_id = fields.String(
        required=True,
        validate=CLIENT_ID,
        metadata={"description": "Names this device; made by the client and kept.", "example": "web-7f3a9c2e41"},
    )
    take_over = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "End the session on another device. Without it that session refuses this one (409)."},
    )


def _prompt_in_seconds() -> fields.Integer:
    return fields.Integer(
        allow_none=True,
        metadata={"description": "When to ask whether the teacher is there; null: never.", "example": 900},
    )


class StudySession(ma.Schema):
    study_session_id = fields.UUID()
    play_token = fields.String(metadata={"description": "Goes with every study report of this session."})
    expires_in_seconds = fields.Integer(metadata={"description": "Renew the token before.", "example": 600})
    fence = fields.Integer(metadata={"description": "Grows with each session of the teacher; the greatest is live."})
    activity_id = fields.UUID()
    duration_seconds = fields.Integer(metadata={"example": 2700})
    silence_limit_seconds = fields.Integer(
        metadata={"description": "Report more often than this: a longer silence earns nothing.", "example": 600}
    )
    prompt_in_seconds = _prompt_in_seconds()
    answer_within_seconds = fields.Integer(
        metadata={
            "description": "A prompt answered later than this after it came stops the clock meanwhile.",
            "example": 120,
        }
    )
    counts = fields.Boolean(metadata={"description": "Whether study counts at this moment."})
    reasons = _reasons()
    seen = _ranges("What was watched before.")
    countable = _ranges("What of it counts.")
    answered = fields.List(fields.UUID(), metadata={"description": "Quizzes of the video that are answered."})


class Renewal(ma.Schema):
    study_session_id = fields.UUID()
    state = fields.String(validate=validate.OneOf(("LIVE", "TAKEN_OVER", "EXPIRED")))
    play_token = fields.String(allow_none=True, metadata={"description": "null unless the session is LIVE."})
    expires_in_seconds = fields.Integer(metadata={"example": 600})
    fence = fields.Integer()
    durable_seq = fields.Integer(
        metadata={
            "description": "Every report up to this seq is recorded for good and may be forgotten.",
            "example": 12,
        }
    )
    prompt_in_seconds = _prompt_in_seconds()


class Presence(ma.Schema):
    study_session_id = fields.UUID()
    prompt_in_seconds = _prompt_in_seconds()


class AnswerRequest(Schema):
    quiz_id = fields.UUID(required=True)
    answers = fields.List(
        Text(200), required=True, validate=validate.Length(min=1, max=10), metadata={"example": ["第二门"]}
    )


class JudgedAnswer(ma.Schema):
    quiz_id = fields.UUID()
    right = fields.Boolean()
    attempts = fields.Integer(metadata={"example": 1})
    answered_at = fields.String(
        allow_none=True, metadata={"description": "When the quiz was first answered rightly inside the window."}
    )
    reasons = _reasons()


# --- study reports ------------------------------------------------------------------------------------------------------


LONGEST_PAPER = 2048
_NEEDED_KEYS = frozenset({"play_token", "seq", "segments"})
_REPORT_KEYS = _NEEDED_KEYS | {"receipt"}
_SEGMENT_KEYS = frozenset({"from", "to"})


class Segment(Schema):
    begin = Whole(required=True, data_key="from", metadata={"description": "First second watched.", "example": 0})
    end = Whole(required=True, data_key="to", metadata={"description": "The second after the last.", "example": 60})


class StudyReport(Schema):
    play_token = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_PAPER))
    seq = Whole(
        required=True,
        validate=validate.Range(reports.FIRST_SEQ, reports.LAST_SEQ),
        metadata={"description": "Counts the reports of this session: 1, 2, 3, …", "example": 1},
    )
    segments = fields.List(
        fields.Nested(Segment),
        required=True,
        validate=validate.Length(min=1, max=reports.MOST_SEGMENTS),
        metadata={"description": "Stretches watched since the last report, in the order in which they were played."},
    )
    receipt = fields.String(
        validate=validate.Length(min=1, max=LONGEST_PAPER),
        metadata={"description": "Of an earlier acceptance of this same report: it then keeps that time."},
    )

    def load(self, data: Any, **options: Any) -> Any:
        """What marshmallow would read, twenty times faster for what is right; it is asked to name what is wrong.

        A nation that studies sends more of these than of everything else together.
        """
        return data_of_report(data) or super().load(data, **options)


def data_of_report(body: Any) -> dict[str, Any] | None:
    """The loaded report, or None for anything that is not exactly what the schema asks for."""
    if type(body) is not dict or not _REPORT_KEYS >= body.keys() >= _NEEDED_KEYS:
        return None
    seq, segments = body["seq"], body["segments"]
    papers = [body["play_token"], body.get("receipt", "-")]
    if not all(type(paper) is str and 0 < len(paper) <= LONGEST_PAPER for paper in papers):
        return None
    if type(seq) is not int or not reports.FIRST_SEQ <= seq <= reports.LAST_SEQ:
        return None
    if type(segments) is not list or not 0 < len(segments) <= reports.MOST_SEGMENTS:
        return None
    for segment in segments:
        if type(segment) is not dict or segment.keys() != _SEGMENT_KEYS:
            return None
        if type(segment["from"]) is not int or type(segment["to"]) is not int:
            return None
    return {**body, "segments": [{"begin": segment["from"], "end": segment["to"]} for segment in segments]}


class ReportReply(ma.Schema):
    study_session_id = fields.UUID()
    seq = fields.Integer(metadata={"example": 1})
    received_at = fields.String(metadata={"example": "2023-01-10T02:01:00.000000Z"})
    receipt = fields.String(metadata={"description": "Keep it with the report until `durable_seq` covers it."})


# --- progress -----------------------------------------------------------------------------------------------------------


class QuizProgress(ma.Schema):
    quiz_id = fields.UUID()
    at_seconds = fields.Integer(metadata={"example": 600})
    state = fields.String(validate=validate.OneOf(("LOCKED", "OPEN", "ANSWERED")))
    attempts = fields.Integer()
    answered_at = fields.String(allow_none=True)


class VideoProgress(ma.Schema):
    activity_id = fields.UUID()
    key = fields.String(metadata={"example": "v1"})
    title = fields.String()
    duration_seconds = fields.Integer(metadata={"example": 900})
    studied_seconds = fields.Integer(metadata={"example": 660})
    countable_seconds = fields.Integer(metadata={"example": 600})
    held_seconds = fields.Integer(metadata={"description": "Would count, but waits for a review.", "example": 0})
    seen = _ranges("Watched.")
    countable = _ranges("Counts.")
    quizzes = fields.List(fields.Nested(QuizProgress))
    reasons = _reasons()


class CourseProgress(ma.Schema):
    course_id = fields.UUID()
    key = fields.String(metadata={"example": "party20"})
    title = fields.String()
    opens_at = fields.String()
    quiz_required = fields.Boolean()
    studied_seconds = fields.Integer()
    countable_seconds = fields.Integer()
    held_seconds = fields.Integer()
    reasons = _reasons()
    videos = fields.List(fields.Nested(VideoProgress))


class ProgrammeProgress(ma.Schema):
    teacher_id = fields.UUID()
    programme_id = fields.UUID()
    code = fields.String(metadata={"example": "2023-winter"})
    enrolled_at = fields.String()
    closes_at = fields.String()
    as_of = fields.String(metadata={"description": "Reports accepted shortly before may still be on their way."})
    courses = fields.List(fields.Nested(CourseProgress))
