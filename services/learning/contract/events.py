"""Payloads of the events that learning announces. Changed by addition only."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from services.learning.contract import grades, selection, special_training

ENROLLED = "learning.enrolled"
COURSE_PROGRESSED = "learning.course_progressed"
STUDY_CLOSED = "learning.study_closed"
EXAM_JUDGED = "learning.exam_judged"


def _ranges(*, required: bool = True) -> fields.List[Any]:
    """Half-open intervals of whole seconds, `[[0, 60], [90, 120]]`."""
    return fields.List(
        fields.List(fields.Integer(strict=True), validate=validate.Length(equal=2)),
        required=required,
    )


class Enrolled(Schema):
    teacher_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    enrolled_at = fields.String(required=True)


class QuizEvidence(Schema):
    quiz_id = fields.UUID(required=True)
    at_seconds = fields.Integer(required=True, strict=True)
    answered_at = fields.String(required=True, allow_none=True)


class VideoEvidence(Schema):
    activity_id = fields.UUID(required=True)
    duration_seconds = fields.Integer(required=True, strict=True)
    seen = _ranges()
    countable = _ranges()
    # Would count, but waits for a review of conspicuous study; left out where nothing does.
    held = _ranges(required=False)
    quizzes = fields.List(fields.Nested(QuizEvidence), required=True)


class CourseProgressed(Schema):
    """All that one teacher studied of one course: a later version replaces every earlier one.

    Told at once where it matters, else some minutes later (`study/rules/telling.py`): `studied_at` is when the last of it
    was studied, answered or decided. Absent in what was told before there was a delay.
    """

    teacher_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    course_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    studied_at = fields.String()
    videos = fields.List(fields.Nested(VideoEvidence), required=True)


class ExamJudged(Schema):
    """A teacher's best result at one exam: a later version replaces every earlier one.

    `course_id` is null for the programme's own exam; `score`, of 100, is null while nothing was judged (and again for an
    account that was merged into another).
    """

    teacher_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    course_id = fields.UUID(required=True, allow_none=True)
    exam_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    score = fields.String(required=True, allow_none=True)
    passed = fields.Boolean(required=True)
    judged_at = fields.String(required=True, allow_none=True)


class StudyClosed(Schema):
    """Every report received before the close has been recorded, and every attempt at an exam judged.

    `exam_results` and `exam_version_sum` are to exams what the other two are to study; absent before there were exams.
    `snapshots` rows of (teacher, course) exist and their versions add up to `version_sum`: a consumer that has less
    must wait for the rest.
    """

    programme_id = fields.UUID(required=True)
    enrolments = fields.Integer(required=True, strict=True)
    snapshots = fields.Integer(required=True, strict=True)
    version_sum = fields.Integer(required=True, strict=True)
    exam_results = fields.Integer(strict=True)
    exam_version_sum = fields.Integer(strict=True)


EVENTS: dict[str, type[Schema]] = {
    **selection.EVENTS,
    **grades.EVENTS,
    **special_training.EVENTS,
    ENROLLED: Enrolled,
    COURSE_PROGRESSED: CourseProgressed,
    STUDY_CLOSED: StudyClosed,
    EXAM_JUDGED: ExamJudged,
}
