"""What others may know of the catalog: its name, its events, its refusals, its words for a programme's state."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

from services.catalog.contract import bulk, courses, further_study, periods, projects, questions, shelf
from services.catalog.contract.questions import EXAM_PUBLISHED as EXAM_PUBLISHED

SERVICE = "catalog"

PROGRAMME_PUBLISHED = "catalog.programme_published"
PROGRAMME_CLOSED = "catalog.programme_closed"


class ProgrammeState(enum.StrEnum):
    """Where a season stands (`README.md`). CERTIFYING and what follows belongs to the certificate service."""

    PLANNED = "PLANNED"
    PARTIAL_OPEN = "PARTIAL_OPEN"  # some of its courses have opened
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class Visibility(enum.StrEnum):
    """On whose list a programme stands. Its own page is open to whoever has the address; who may enrol, the audience says."""

    PUBLIC = "PUBLIC"  # everybody's, visitors' too
    PLACES = "PLACES"  # of who stands in a place of its audience, or answers for one
    UNLISTED = "UNLISTED"  # of who answers for the place that organises it


# A stage 教育阶段 stands for the segments 任教学段 in it; seasons of the national platform come by stage.
STAGES: Final = {
    "BASIC": ("KINDERGARTEN", "PRIMARY", "MIDDLE", "HIGH", "SPECIAL"),  # 基础教育
    "VOCATIONAL": ("VOCATIONAL",),  # 职业教育
}


class ProgrammeAudience(periods.Audience):
    """As an offering's; `segments` hold those of the `stages` already."""

    stages = fields.List(fields.String(), required=True)


class Titles(Schema):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class PublishedPhase(Schema):
    key = fields.String(required=True)
    titles = fields.Nested(Titles, required=True)


class PublishedModule(PublishedPhase):
    hour_cap = fields.String(required=True, allow_none=True)


class PublishedQuiz(Schema):
    quiz_id = fields.UUID(required=True)
    at_seconds = fields.Integer(required=True)
    prompt = fields.String(required=True)
    options = fields.List(fields.String(), required=True)
    # Answers travel on the bus to the one judge of answers, learning; no HTTP reply ever holds them.
    answers = fields.List(fields.String(), required=True)


class PublishedVideo(Schema):
    activity_id = fields.UUID(required=True)
    key = fields.String(required=True)
    title = fields.String(required=True)
    seconds = fields.Integer(required=True)
    # The file's name below /media/. Absent: the installation shows its videos elsewhere.
    media = fields.String()
    quizzes = fields.List(fields.Nested(PublishedQuiz), required=True)


class PublishedCourse(Schema):
    course_id = fields.UUID(required=True)
    key = fields.String(required=True)
    title = fields.String(required=True)
    opens_at = fields.AwareDateTime(required=True)
    quiz_required = fields.Boolean(required=True)
    # Keys of the programme's own modules and phases; absent in one that has none.
    module = fields.String()
    phase = fields.String()
    videos = fields.List(fields.Nested(PublishedVideo), required=True)


class ProgrammePublished(Schema):
    """The whole programme as published: `version` grows with each publication and with the closing."""

    programme_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    code = fields.String(required=True)
    titles = fields.Nested(Titles, required=True)
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    rule_pack = fields.String(required=True)
    silence_limit_seconds = fields.Integer(required=True)
    # Absent: nobody is asked whether they are there.
    presence_prompt_seconds = fields.Integer()
    certificate_template = fields.String(required=True)
    # Who organises it, and so answers its questions. Absent: the nation.
    place = fields.String()
    # Absent: for everybody, on everybody's list, of one piece.
    visibility = fields.Enum(Visibility)
    audience = fields.Nested(ProgrammeAudience)
    modules = fields.List(fields.Nested(PublishedModule))
    phases = fields.List(fields.Nested(PublishedPhase))
    courses = fields.List(fields.Nested(PublishedCourse), required=True)


class ProgrammeClosed(Schema):
    """`closes_at` has passed by the business clock; announced once."""

    programme_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    closes_at = fields.AwareDateTime(required=True)


EVENTS: dict[str, type[Schema]] = {
    **periods.EVENTS,
    **projects.EVENTS,
    PROGRAMME_PUBLISHED: ProgrammePublished,
    PROGRAMME_CLOSED: ProgrammeClosed,
    **questions.EVENTS,
}

ERRORS: dict[str, tuple[str, str]] = {
    **bulk.ERRORS,
    **questions.ERRORS,
    **courses.ERRORS,
    **further_study.ERRORS,
    **periods.ERRORS,
    **projects.ERRORS,
    **shelf.ERRORS,
    "catalog.programme_not_found": ("没有这个专题", "There is no such programme"),
    "catalog.programme_closed": (
        "该专题已结束，不能再发布新版本",
        "The programme has closed; no new version of it can be published",
    ),
    "catalog.would_change_study": (
        "专题已经开放，不能删除或修改已有的课程、视频和测试题的时间点",
        "The programme has opened: courses and videos can be added to it, but not removed, moved or changed in length",
    ),
}
