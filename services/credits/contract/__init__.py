"""What others may know of credits: its name, its events, its refusals, and its reasons in words."""

from __future__ import annotations

from marshmallow import Schema, fields

from services.credits.contract import conversions, declarations, reconciling, verification

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
    **declarations.EVENTS,
    **verification.EVENTS,
    **reconciling.EVENTS,
    HOURS_RECOGNISED: HoursRecognised,
    RECOGNITION_CLOSED: RecognitionClosed,
}

ERRORS: dict[str, tuple[str, str]] = {
    **conversions.ERRORS,
    **declarations.ERRORS,
    **verification.ERRORS,
    "credits.document_form": (
        "材料格式不正确，请按字段位置检查。",
        "The document does not have the required form at the named place.",
    ),
    "credits.interval_reversed": (
        "观看区间的终点必须大于起点。",
        "A watched piece must end after it begins.",
    ),
    "credits.interval_outside": (
        "观看区间或测试题超出了视频时长。",
        "A watched piece or a quiz lies outside its video.",
    ),
    "credits.instant_form": (
        "时间须为带时区偏移的 RFC 3339 格式，例如 2023-03-01T00:00:00+08:00。",
        "A time must be RFC 3339 with its offset, such as 2023-03-01T00:00:00+08:00.",
    ),
    "credits.amount_form": (
        "数量须为引号内的十进制数：整数不超过 6 位，小数不超过 2 位，不用指数。",
        "An amount must be a decimal in quotes: at most 6 digits and 2 places, no exponent.",
    ),
    "credits.pack_unknown": ("没有这个规则包。", "There is no such rule pack."),
    "credits.pack_of_another_kind": (
        "该规则包不能评定这类材料。",
        "This rule pack does not judge documents of this kind.",
    ),
    "credits.pack_draft": (
        "该规则包仍是草案，尚不能用于评定。",
        "This rule pack is a draft: nothing can be judged by it yet.",
    ),
    "credits.course_unknown": ("规则包中没有这门课程。", "The rule pack has no such course."),
    "credits.year_outside": (
        "年度不在本周期或规则包的有效期内。",
        "The year lies outside the cycle, or outside the rule pack's validity.",
    ),
    "credits.unit_unconvertible": (
        "规则包不能换算这种计量单位。",
        "The rule pack cannot convert this unit.",
    ),
    "credits.category_unknown": ("规则包中没有这种类别。", "The rule pack has no such category."),
    "credits.item_unknown": (
        "规则包的认定表中没有这种活动。",
        "The rule pack's table has no such activity.",
    ),
    "credits.statistics_unknown": ("没有这个地区或学校的统计。", "There are no statistics of this place."),
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
    "video_incomplete": (
        "有视频没有看完；本项目只计入完整观看的视频",
        "A video was not watched whole; in this programme only whole videos count",
    ),
    "under_review": (
        "部分时间正在核查，暂不计入；可在“学习核查”中查看原因并申诉",
        "Some of the time is under review and does not count; the study reviews tell why, and take an appeal",
    ),
    "session_superseded": (
        "同一时间另一台设备在学习，该段时间只计一次",
        "Another device was studying at the same time; that time counts once",
    ),
    "below_threshold": ("计入的时长还不够认定学时", "The time that counts is still too little for an hour"),
    "cap_reached": (
        "已达到可认定学时的上限，继续学习只记录时长",
        "The hours for this have been reached; further study is recorded only",
    ),
}
