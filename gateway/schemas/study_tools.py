"""Bodies and queries of the study tools."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import File, Page, PageReply, Schema, Text, Whole
from gateway.schemas.catalog import EXAMPLE_ID

_TEXT = {"description": "Plain text: markup stays the characters that it is.", "example": "要点：以学定教"}
_AT = {"example": "2026-03-02T02:00:00.000000Z"}


class Positioned(Schema):
    activity_id = fields.UUID(
        allow_none=True, metadata={"description": "The video that it is about.", "example": EXAMPLE_ID}
    )
    at_seconds = Whole(allow_none=True, metadata={"description": "The position in it.", "example": 600})


class NewNote(Positioned):
    text = Text(4000, required=True, metadata=_TEXT)
    shared = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Everybody who is enrolled may read it."},
    )


class ChangedNote(Positioned):
    text = Text(4000, required=True, metadata=_TEXT)
    shared = fields.Boolean(required=True, truthy={True}, falsy={False})


class NewQuestion(Positioned):
    text = Text(4000, required=True, metadata={**_TEXT, "example": "怎样设计分层作业？"})


class NewAnswer(Schema):
    text = Text(4000, required=True, metadata=_TEXT)


class NewNotice(Schema):
    title = Text(200, required=True, metadata={"example": "实践模块作业说明"})
    text = Text(4000, required=True, metadata=_TEXT)


class NewReport(Schema):
    reason = Text(500, required=True, metadata={"example": "与课程无关的广告"})


class Hiding(Schema):
    hidden = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"example": True})
    reason = Text(500, required=True, metadata={"example": "与课程无关的广告"})


class NewBookmark(Schema):
    at_seconds = Whole(required=True, metadata={"example": 600})
    label = fields.String(load_default="", validate=validate.Length(max=200), metadata={"example": "案例开始"})


class NotesQuery(Page):
    whose = fields.String(
        load_default="OWN",
        validate=validate.OneOf(["OWN", "SHARED"]),
        metadata={"description": "One's own, or what everybody has shared.", "example": "OWN"},
    )


class QuestionsQuery(Page):
    which = fields.String(
        load_default="ALL",
        validate=validate.OneOf(["ALL", "OWN", "UNANSWERED"]),
        metadata={"description": "UNANSWERED: the longest waiting first.", "example": "UNANSWERED"},
    )


class SearchQuery(Page):
    words = fields.String(
        required=True,
        validate=validate.Length(2, 50),
        metadata={"description": "Found as they stand, in any text; full and half width alike.", "example": "分层"},
    )


class CourseText(ma.Schema):
    """Who wrote it is told to nobody; only whether it is one's own, or a tutor's."""

    text_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    kind = fields.String(metadata={"description": "NOTE, QUESTION, ANSWER or NOTICE", "example": "NOTE"})
    visibility = fields.String(metadata={"description": "OWN, COURSE or HIDDEN (by the tutor)", "example": "COURSE"})
    is_own = fields.Boolean()
    by_tutor = fields.Boolean()
    title = fields.String(metadata={"description": "Of a notice; else empty."})
    text = fields.String(metadata=_TEXT)
    activity_id = fields.UUID(allow_none=True)
    at_seconds = fields.Integer(allow_none=True)
    question_id = fields.UUID(allow_none=True, metadata={"description": "Of an answer."})
    answered_at = fields.String(allow_none=True, metadata={**_AT, "description": "Of a question: by a tutor."})
    written_at = fields.String(metadata=_AT)
    changed_at = fields.String(metadata=_AT)


class CourseTexts(PageReply):
    items = fields.List(fields.Nested(CourseText))


class Question(CourseText):
    answers = fields.List(fields.Nested(CourseText))


class Notice(CourseText):
    is_read = fields.Boolean()


class Notices(PageReply):
    items = fields.List(fields.Nested(Notice))


class Report(ma.Schema):
    reason = fields.String()
    reported_at = fields.String(metadata=_AT)


class ReportedText(CourseText):
    reports = fields.List(fields.Nested(Report))


class ReportedTexts(PageReply):
    items = fields.List(fields.Nested(ReportedText))


class Reported(ma.Schema):
    text_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    reported = fields.Boolean()


class Reading(ma.Schema):
    text_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    is_read = fields.Boolean()


class Bookmark(ma.Schema):
    bookmark_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    activity_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    at_seconds = fields.Integer(metadata={"example": 600})
    label = fields.String(metadata={"example": "案例开始"})
    made_at = fields.String(metadata=_AT)


class Bookmarks(PageReply):
    items = fields.List(fields.Nested(Bookmark))


class NewMaterial(Schema):
    title = Text(200, required=True, metadata={"example": "第三讲课件"})
    file = File("PDF, JPEG or PNG of at most 10 MB.", required=True)


class Material(ma.Schema):
    material_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    title = fields.String(metadata={"example": "第三讲课件"})
    media_type = fields.String(metadata={"example": "application/pdf"})
    size = fields.Integer(metadata={"description": "Bytes.", "example": 204800})
    sha256 = fields.String()
    added_at = fields.String(metadata=_AT)


class Materials(PageReply):
    items = fields.List(fields.Nested(Material))


class MaterialAdded(ma.Schema):
    material_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    title = fields.String()
