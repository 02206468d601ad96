"""Bodies and queries of programmes. Shapes only: what makes a season sound is the catalogue's to say."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import PageReply, Schema, Text, Whole
from services.catalog.contract import ProgrammeState

EXAMPLE_ID = "84f5c0de-3a11-5b0e-9d3c-0c2a35e6b7d1"
_PACK = {"example": "smartedu-2023-winter"}
_OPENS = {"description": "RFC 3339 with offset.", "example": "2023-01-05T00:00:00+08:00"}
_CLOSES = {"description": "The first instant that no longer counts.", "example": "2023-03-01T00:00:00+08:00"}


def _instant(metadata: dict[str, str]) -> Text:
    return Text(40, required=True, metadata=metadata)


class Titles(Schema):
    zh = Text(required=True, metadata={"example": "2023年“寒假教师研修”专题"})
    en = Text(required=True, metadata={"example": "Winter teacher training 2023"})


class NewQuiz(Schema):
    key = Text(40, required=True, metadata={"description": "Unique in the video.", "example": "q1"})
    at_seconds = Whole(required=True, metadata={"description": "Where in the video it appears.", "example": 600})
    prompt = Text(1000, required=True, metadata={"example": "您正在学习的是哪一门课程？"})
    options = fields.List(Text(), required=True, validate=validate.Length(2, 10), metadata={"example": ["甲", "乙"]})
    answers = fields.List(
        Text(),
        required=True,
        validate=validate.Length(1, 10),
        metadata={"description": "Those of the options that are right.", "example": ["甲"]},
    )


class NewVideo(Schema):
    key = Text(40, required=True, metadata={"description": "Unique in the course.", "example": "v1"})
    title = Text(required=True, metadata={"example": "学习宣传贯彻党的二十大精神（1）"})
    seconds = Whole(required=True, metadata={"description": "The video's length.", "example": 900})
    quizzes = fields.List(fields.Nested(NewQuiz), required=True)


class NewCourse(Schema):
    key = Text(40, required=True, metadata={"description": "Unique in the season.", "example": "party20"})
    title = Text(required=True, metadata={"example": "学习宣传贯彻党的二十大精神"})
    title_en = Text(metadata={"example": "Studying the spirit of the 20th Party Congress"})
    opens_at = _instant(_OPENS)
    quiz_required = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Whether a video's time counts only with its quizzes done and its rest watched."},
    )
    videos = fields.List(fields.Nested(NewVideo), required=True)


class NewProgramme(Schema):
    """A season file as JSON."""

    code = Text(
        45, required=True, metadata={"description": "Year and name; the programme's key.", "example": "2023-winter"}
    )
    titles = fields.Nested(Titles, required=True)
    rule_pack = Text(80, required=True, metadata=_PACK)
    certificate_template = Text(80, required=True, metadata={"example": "smartedu-study"})
    silence_limit_seconds = Whole(
        required=True,
        metadata={"description": "A longer silence between two reports earns nothing for its excess.", "example": 600},
    )
    presence_prompt_seconds = Whole(
        metadata={
            "description": "Ask the teacher this often, at a moment nobody can foresee, whether they are there. Absent: never.",
            "example": 1200,
        }
    )
    opens_at = _instant({**_OPENS, "example": "2022-12-02T00:00:00+08:00"})
    closes_at = _instant(_CLOSES)
    courses = fields.List(fields.Nested(NewCourse), required=True)


class Publication(ma.Schema):
    programme_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    code = fields.String(metadata={"example": "2023-winter"})
    version = fields.Integer(metadata={"description": "Grows with each change.", "example": 1})
    content_hash = fields.String(metadata={"description": "SHA-256 of the content."})
    published = fields.Boolean(metadata={"description": "False when this very content was there already."})


class Quiz(ma.Schema):
    """A quiz point; its answers are never told."""

    quiz_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    at_seconds = fields.Integer(metadata={"example": 600})
    prompt = fields.String(metadata={"example": "您正在学习的是哪一门课程？"})
    options = fields.List(fields.String(), metadata={"example": ["甲", "乙"]})


class Video(ma.Schema):
    activity_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    key = fields.String(metadata={"example": "v1"})
    title = fields.String(metadata={"example": "学习宣传贯彻党的二十大精神（1）"})
    seconds = fields.Integer(metadata={"example": 900})
    quizzes = fields.List(fields.Nested(Quiz))


class Course(ma.Schema):
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    key = fields.String(metadata={"example": "party20"})
    title = fields.String(metadata={"example": "学习宣传贯彻党的二十大精神"})
    opens_at = fields.String(metadata=_OPENS)
    quiz_required = fields.Boolean(metadata={"example": True})
    videos = fields.List(fields.Nested(Video))


class ProgrammeSummary(ma.Schema):
    programme_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    code = fields.String(metadata={"example": "2023-winter"})
    version = fields.Integer(metadata={"example": 1})
    state = fields.String(
        validate=validate.OneOf([str(state) for state in ProgrammeState]),
        metadata={"example": ProgrammeState.OPEN.value},
    )
    titles = fields.Nested(Titles)
    opens_at = fields.String(metadata=_OPENS)
    closes_at = fields.String(metadata=_CLOSES)
    rule_pack = fields.String(metadata=_PACK)
    content_hash = fields.String(metadata={"description": "SHA-256 of the content; changes with every version."})


class Programme(ProgrammeSummary):
    courses = fields.List(fields.Nested(Course))


class ProgrammePage(PageReply):
    items = fields.List(fields.Nested(ProgrammeSummary))
