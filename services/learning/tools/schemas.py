"""Shapes of the arguments and replies of the study tools."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.learning.contract.materials import MATERIAL_BYTES, MATERIAL_TYPES
from services.learning.tools import rules
from services.shared.fields import Instant
from services.shared.paging import Page


class PlainText(fields.String):
    """Something visible, and nothing that reads otherwise than it is written."""

    def __init__(self, longest: int = rules.TEXT_LENGTH, **options: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=longest), _is_readable], **options)


def _is_readable(text: str) -> None:
    if not text.strip() or not rules.is_plain_text(text):
        raise ValidationError("plain text with something visible in it")


def _is_plain(text: str) -> None:
    if text and not rules.is_plain_text(text):
        raise ValidationError("plain text")


class CourseId(Schema):
    course_id = fields.UUID(required=True)


class TextId(Schema):
    text_id = fields.UUID(required=True)


class Position(Schema):
    activity_id = fields.UUID(load_default=None, allow_none=True)
    at_seconds = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(min=0, max=86_400)
    )


class WriteNote(CourseId, Position):
    text = PlainText(required=True)
    shared = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class EditNote(TextId, Position):
    text = PlainText(required=True)
    shared = fields.Boolean(required=True, truthy={True}, falsy={False})


class AskTutor(CourseId, Position):
    text = PlainText(required=True)


class Answer(TextId):
    text = PlainText(required=True)


class Notice(CourseId):
    title = PlainText(200, required=True)
    text = PlainText(required=True)


class Report(TextId):
    reason = PlainText(500, required=True)


class Hide(TextId):
    hidden = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = PlainText(500, required=True)


class AddBookmark(Schema):
    activity_id = fields.UUID(required=True)
    at_seconds = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=86_400))
    label = fields.String(load_default="", validate=[validate.Length(max=200), _is_plain])


class BookmarkId(Schema):
    bookmark_id = fields.UUID(required=True)


class ListInCourse(Page, CourseId):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListNotes(ListInCourse):
    whose = fields.String(load_default="OWN", validate=validate.OneOf(["OWN", "SHARED"]))


class ListQuestions(ListInCourse):
    which = fields.String(load_default="ALL", validate=validate.OneOf(["ALL", "OWN", "UNANSWERED"]))


class Search(ListInCourse):
    words = fields.String(required=True, validate=validate.Length(min=rules.SHORTEST_SEARCH, max=50))


class PrepareMaterial(CourseId):
    title = PlainText(200, required=True)
    sha256 = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))
    media_type = fields.String(required=True, validate=validate.OneOf(MATERIAL_TYPES))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MATERIAL_BYTES))


class MaterialId(CourseId):
    material_id = fields.UUID(required=True)


class KeepMaterial(MaterialId):
    storage_key = fields.String(required=True, validate=validate.Length(min=1, max=100))


# --- replies ------------------------------------------------------------------------------------------------------------


class Text(Schema):
    text_id = fields.UUID()
    course_id = fields.UUID()
    kind = fields.String()
    visibility = fields.String()
    is_own = fields.Boolean()
    by_tutor = fields.Boolean()
    title = fields.String()
    text = fields.String()
    activity_id = fields.UUID(allow_none=True)
    at_seconds = fields.Integer(allow_none=True)
    question_id = fields.UUID(allow_none=True)
    answered_at = Instant(allow_none=True)
    written_at = Instant()
    changed_at = Instant()


class ReadableNotice(Text):
    is_read = fields.Boolean()


class ReportShown(Schema):
    reason = fields.String()
    reported_at = Instant()


class ReportedText(Text):
    reports = fields.List(fields.Nested(ReportShown))


class Question(Text):
    answers = fields.List(fields.Nested(Text))


class Bookmark(Schema):
    bookmark_id = fields.UUID()
    course_id = fields.UUID()
    activity_id = fields.UUID()
    at_seconds = fields.Integer()
    label = fields.String()
    made_at = Instant()


class Material(Schema):
    material_id = fields.UUID()
    course_id = fields.UUID()
    title = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    sha256 = fields.String()
    added_at = Instant()
