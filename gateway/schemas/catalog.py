"""Bodies and queries of programmes. Shapes only: what makes a season sound is the catalogue's to say."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import PageReply, Schema, Text, Whole
from gateway.schemas.periods import Audience
from services.catalog.contract import STAGES, ProgrammeState, Visibility
from services.catalog.contract.questions import QuestionKind

EXAMPLE_ID = "84f5c0de-3a11-5b0e-9d3c-0c2a35e6b7d1"
_MEDIA = {
    "description": "The file's name below `/media/`; absent or empty: none.",
    "example": "2023-winter/party20-v1.webm",
}
_BANK = {"description": "Code of the question bank.", "example": "putian-2026-single"}
_PACK = {"example": "smartedu-2023-winter"}
_OPENS = {"description": "RFC 3339 with offset.", "example": "2023-01-05T00:00:00+08:00"}
_CLOSES = {"description": "The first instant that no longer counts.", "example": "2023-03-01T00:00:00+08:00"}


def _instant(metadata: dict[str, str]) -> Text:
    return Text(40, required=True, metadata=metadata)


class Titles(Schema):
    zh = Text(required=True, metadata={"example": "2023年“寒假教师研修”专题"})
    en = Text(required=True, metadata={"example": "Winter teacher training 2023"})


class QuestionSet(Schema):
    bank = Text(80, required=True, metadata=_BANK)
    questions = fields.List(
        Text(40), required=True, validate=validate.Length(1, 10), metadata={"example": ["t01", "t04"]}
    )


class NewQuiz(Schema):
    key = Text(40, required=True, metadata={"description": "Unique in the video.", "example": "q1"})
    at_seconds = Whole(required=True, metadata={"description": "Where in the video it appears.", "example": 600})
    prompt = Text(1000, metadata={"example": "您正在学习的是哪一门课程？"})
    options = fields.List(Text(), validate=validate.Length(2, 10), metadata={"example": ["甲", "乙"]})
    question_set = fields.Nested(
        QuestionSet, metadata={"description": "Instead of prompt, options and answers: questions of a bank."}
    )
    answers = fields.List(
        Text(),
        validate=validate.Length(1, 10),
        metadata={"description": "Those of the options that are right.", "example": ["甲"]},
    )


class NewVideo(Schema):
    key = Text(40, required=True, metadata={"description": "Unique in the course.", "example": "v1"})
    title = Text(required=True, metadata={"example": "学习宣传贯彻党的二十大精神（1）"})
    seconds = Whole(required=True, metadata={"description": "The video's length.", "example": 900})
    media = Text(200, metadata=_MEDIA)
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
    module = Text(40, metadata={"description": "Key of its module, where the programme has some.", "example": "public"})
    phase = Text(40, metadata={"description": "Key of its phase, where the programme has some.", "example": "first"})
    videos = fields.List(fields.Nested(NewVideo), required=True)


class NewQuestion(Schema):
    """SINGLE and MULTIPLE have `options` and `answers`; TRUE_FALSE has `answer`."""

    key = Text(40, required=True, metadata={"description": "Unique in the bank.", "example": "s01"})
    kind = fields.String(
        required=True, validate=validate.OneOf([str(kind) for kind in QuestionKind]), metadata={"example": "SINGLE"}
    )
    prompt = Text(1000, required=True, metadata={"example": "多少分钟折合1学时？"})
    options = fields.List(Text(), validate=validate.Length(2, 10), metadata={"example": ["30分钟", "45分钟"]})
    answers = fields.List(Text(), validate=validate.Length(1, 10), metadata={"example": ["45分钟"]})
    answer = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": "Of TRUE_FALSE.", "example": True})
    analysis = Text(2000, metadata={"description": "Shown when no further attempt can follow."})


class NewQuestionBank(Schema):
    """A question bank as JSON; the same as a YAML file of `yanxiu import questions`."""

    code = Text(80, required=True, metadata=_BANK)
    place = Text(80, metadata={"description": "Who owns it. The nation, where absent.", "example": "CN/350000/350300"})
    titles = fields.Nested(Titles, required=True)
    questions = fields.List(fields.Nested(NewQuestion), required=True, validate=validate.Length(1, 3000))


class Pool(Schema):
    bank = Text(80, required=True, metadata=_BANK)
    version = Whole(metadata={"description": "The bank's newest at publication, where absent.", "example": 1})
    count = Whole(required=True, metadata={"description": "How many to draw.", "example": 8})
    points = Whole(required=True, metadata={"description": "What each is worth.", "example": 4})


class ExamCondition(Schema):
    course = Text(40, required=True, metadata={"example": "public"})
    seconds = Whole(
        required=True, metadata={"description": "Of the course's videos, each watched to its end.", "example": 43200}
    )


class NewExam(Schema):
    key = Text(40, required=True, metadata={"example": "final"})
    titles = fields.Nested(Titles, required=True)
    course = Text(40, metadata={"description": "The whole programme, where absent.", "example": "public"})
    opens_at = Text(40, metadata={"description": "The programme's, where absent."})
    closes_at = Text(40, metadata={"description": "The programme's, where absent."})
    minutes = Whole(required=True, metadata={"example": 60})
    attempts = Whole(required=True, metadata={"example": 3})
    pass_mark = Whole(required=True, metadata={"description": "Of 100.", "example": 60})
    after = fields.List(fields.Nested(ExamCondition), metadata={"description": "What has to be watched first."})
    draw = fields.List(fields.Nested(Pool), required=True, validate=validate.Length(1, 20))


_STAGES = {"description": "Stages of education; each stands for its segments.", "example": ["BASIC"]}
_CAP = {"description": "Hours that are recognised of it at most, to be shown; null: no limit.", "example": "16.00"}
_VISIBILITY = {
    "description": "On whose list it stands: everybody's, that of its audience's places, or that of who answers for its organiser.",
    "example": "PUBLIC",
}


class NewPhase(Schema):
    """A stage in time; it opens with the first of its courses."""

    key = Text(40, required=True, metadata={"example": "first"})
    titles = fields.Nested(Titles, required=True)


class NewModule(NewPhase):
    """A part of the content."""

    hour_cap = Text(7, allow_none=True, metadata=_CAP)


class ProgrammeAudience(Audience):
    """Whom a programme is for: a teacher must be in each list that is not empty."""

    stages = fields.List(fields.String(validate=validate.OneOf(list(STAGES))), metadata=_STAGES)


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
    place = Text(
        80,
        metadata={
            "description": "Who organises it, and so tutors its courses. The nation, where absent.",
            "example": "CN/350000/350300",
        },
    )
    opens_at = _instant({**_OPENS, "example": "2022-12-02T00:00:00+08:00"})
    closes_at = _instant(_CLOSES)
    visibility = fields.String(validate=validate.OneOf([str(each) for each in Visibility]), metadata=_VISIBILITY)
    audience = fields.Nested(ProgrammeAudience)
    modules = fields.List(
        fields.Nested(NewModule),
        validate=validate.Length(1, 20),
        metadata={"description": "Where there are any, every course lies in one."},
    )
    phases = fields.List(
        fields.Nested(NewPhase),
        validate=validate.Length(1, 20),
        metadata={"description": "Where there are any, every course lies in one."},
    )
    courses = fields.List(fields.Nested(NewCourse), required=True)
    question_banks = fields.List(
        fields.Nested(NewQuestionBank),
        validate=validate.Length(max=20),
        metadata={"description": "Banks that come with the season; each is published with it."},
    )
    exams = fields.List(fields.Nested(NewExam), validate=validate.Length(max=50))


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
    media = fields.String(metadata=_MEDIA)
    quizzes = fields.List(fields.Nested(Quiz))


class Course(ma.Schema):
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    key = fields.String(metadata={"example": "party20"})
    title = fields.String(metadata={"example": "学习宣传贯彻党的二十大精神"})
    opens_at = fields.String(metadata=_OPENS)
    quiz_required = fields.Boolean(metadata={"example": True})
    module = fields.String(allow_none=True, metadata={"example": "public"})
    phase = fields.String(allow_none=True, metadata={"example": "first"})
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
    days_left = fields.Integer(
        metadata={"description": "Beijing days that still count, today among them; 0 when closed.", "example": 12}
    )
    rule_pack = fields.String(metadata=_PACK)
    content_hash = fields.String(metadata={"description": "SHA-256 of the content; changes with every version."})
    place = fields.String(metadata={"description": "Who organises it.", "example": "CN"})
    visibility = fields.String(validate=validate.OneOf([str(each) for each in Visibility]), metadata=_VISIBILITY)
    audience = fields.Nested(ProgrammeAudience)


class ProgrammeModule(ma.Schema):
    key = fields.String(metadata={"example": "public"})
    titles = fields.Nested(Titles)
    hour_cap = fields.String(allow_none=True, metadata=_CAP)


class ProgrammePhase(ma.Schema):
    key = fields.String(metadata={"example": "first"})
    titles = fields.Nested(Titles)
    opens_at = fields.String(metadata={**_OPENS, "description": "When the first of its courses opens."})


class ExamTerms(ma.Schema):
    exam_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(allow_none=True, metadata={"description": "Null for the exam of the whole programme."})
    key = fields.String(metadata={"example": "final"})
    titles = fields.Nested(Titles)
    opens_at = fields.String(metadata=_OPENS)
    closes_at = fields.String(metadata=_CLOSES)
    minutes = fields.Integer(metadata={"example": 60})
    attempts = fields.Integer(metadata={"example": 3})
    pass_mark = fields.Integer(metadata={"description": "Of 100.", "example": 60})
    questions = fields.Integer(metadata={"description": "How many an attempt draws.", "example": 20})


class Programme(ProgrammeSummary):
    modules = fields.List(fields.Nested(ProgrammeModule))
    phases = fields.List(fields.Nested(ProgrammePhase))
    courses = fields.List(fields.Nested(Course))
    exams = fields.List(fields.Nested(ExamTerms))


class ProgrammePage(PageReply):
    items = fields.List(fields.Nested(ProgrammeSummary))
