"""What others may know of credits: its name, its events, its refusals, and its reasons in words."""

from __future__ import annotations

from marshmallow import Schema, fields

SERVICE = "credits"
RECOGNITION = "credits-recognition"  # the process type that consumes evidence

HOURS_RECOGNISED = "credits.hours_recognised"
RECOGNITION_CLOSED = "credits.recognition_closed"


class RecognisedCourse(Schema):
    """One course: studied and recognised side by side, with the reasons for what is missing."""

    course_id = fields.UUID(required=True)
    key = fields.String(required=True)
    studied_seconds = fields.Integer(required=True)
    counted_seconds = fields.Integer(required=True)
    hours = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)


class HoursRecognised(Schema):
    """A teacher's standing in a programme, whole, each time its hours, its reasons or its requirement change.

    Seconds are as of that change: study that changes none of these is not announced. `version` grows by one each time.
    """

    teacher_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    hours = fields.String(required=True)
    courses_done = fields.Integer(required=True)
    courses_total = fields.Integer(required=True)
    requirement_met = fields.Boolean(required=True)
    courses = fields.List(fields.Nested(RecognisedCourse), required=True)


class RecognitionClosed(Schema):
    """All evidence of a closed programme has been judged.

    `standings` teachers have a standing, whose versions add up to `version_sum`: a consumer that has less must wait.
    """

    programme_id = fields.UUID(required=True)
    standings = fields.Integer(required=True)
    version_sum = fields.Integer(required=True)


EVENTS: dict[str, type[Schema]] = {
    HOURS_RECOGNISED: HoursRecognised,
    RECOGNITION_CLOSED: RecognitionClosed,
}

ERRORS: dict[str, tuple[str, str]] = {
    "credits.not_enrolled": (
        "没有该专题的学习记录，请先报名",
        "There is no study record in this programme; enrol first",
    ),
}

# Why studied time earned less than it might (`rules/outcome.py`); shown beside every zero.
REASONS: dict[str, tuple[str, str]] = {
    "not_started": ("尚未开始学习该课程", "This course has not been started"),
    "outside_window": (
        "部分时间不在课程开放时间内，只记录不认定",
        "Some time lies outside the course's window: it is recorded and does not count",
    ),
    "quiz_unanswered": (
        "有视频的测试题未完成，该视频时长不计入",
        "The quizzes of a video are not all done; its time does not count yet",
    ),
    "remainder_unwatched": (
        "完成测试题后，还须看完测试题之后的视频，该视频时长才计入",
        "After its quiz a video must be watched to its end before its time counts",
    ),
    "below_threshold": ("计入的时长还不够认定学时", "The time that counts is still too little for an hour"),
    "cap_reached": (
        "已达到可认定学时的上限，继续学习只记录时长",
        "The hours for this have been reached; further study is recorded only",
    ),
}
