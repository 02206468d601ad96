"""Shapes: the season file (also the body of `publish_programme`), and what the queries answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from services.catalog import contract
from services.catalog.outline import Outline
from services.catalog.questions import schemas as questions
from services.shared.paging import Page

_key = validate.Regexp(r"\A[a-z][a-z0-9_]{0,39}\Z", error="lower-case letters, digits and _, at most 40")
_code = validate.Regexp(r"\A[0-9]{4}-[a-z][a-z0-9-]{0,39}\Z", error="a year, a hyphen and a name, e.g. 2023-winter")
_pack = validate.Regexp(r"\A[a-z][a-z0-9-]{0,79}\Z", error="lower-case letters, digits and -, at most 80")
_title = validate.Length(min=1, max=200)
# Folders and a file: no step upwards, no other host.
_media = validate.Regexp(
    r"\A[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,5}\.(webm|mp4)\Z", error="a name below /media/, e.g. winter/v1.webm"
)
_DAY_SECONDS = 86_400
# Nonsense years would only fail later, in the database or in the rules.
_plausible = validate.Range(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))


def _refuse_repeated(items: Iterable[dict[str, Any]], field: str) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item["key"] in seen:
            raise ValidationError({field: {index: {"key": ["this key stands twice"]}}})
        seen.add(item["key"])


class Quiz(Schema):
    key = fields.String(required=True, validate=_key)
    at_seconds = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    prompt = fields.String(validate=validate.Length(min=1, max=1000))
    options = fields.List(fields.String(validate=_title), validate=validate.Length(min=2, max=10))
    answers = fields.List(fields.String(validate=_title), validate=validate.Length(min=1, max=10))
    # Instead of the three above: questions of a bank, all asked at this point (`domain.md` §2.3 quiz_points).
    question_set = fields.Nested(questions.QuestionSet)

    @validates_schema
    def _answers_are_options(self, data, **_):
        named = [name for name in ("prompt", "options", "answers") if name in data]
        if "question_set" in data:
            if named:
                raise ValidationError("the question set says it already", named[0])
            return
        for name in ("prompt", "options", "answers"):
            if name not in data:
                raise ValidationError("Missing data for required field.", name)
        if len(set(data["options"])) < len(data["options"]):
            raise ValidationError("an option stands twice", "options")
        if not set(data["answers"]) <= set(data["options"]):
            raise ValidationError("an answer is not among the options", "answers")


class Video(Schema):
    key = fields.String(required=True, validate=_key)
    title = fields.String(required=True, validate=_title)
    seconds = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=_DAY_SECONDS))
    media = fields.String(validate=_media)
    quizzes = fields.List(fields.Nested(Quiz), required=True, validate=validate.Length(max=20))

    @validates_schema
    def _quizzes_fit(self, data, **_):
        _refuse_repeated(data["quizzes"], "quizzes")
        for index, quiz in enumerate(data["quizzes"]):
            # A quiz on the last second would leave no rest to watch, and so nothing to prove.
            if quiz["at_seconds"] >= data["seconds"]:
                raise ValidationError({"quizzes": {index: {"at_seconds": ["lies outside the video"]}}})


class Course(Schema):
    key = fields.String(required=True, validate=_key)
    title = fields.String(required=True, validate=_title)
    title_en = fields.String(validate=_title)
    opens_at = fields.AwareDateTime(required=True, validate=_plausible)
    quiz_required = fields.Boolean(required=True, truthy={True}, falsy={False})
    module = fields.String(validate=_key)
    phase = fields.String(validate=_key)
    videos = fields.List(fields.Nested(Video), required=True, validate=validate.Length(min=1, max=1000))

    @validates_schema
    def _keys_are_unique(self, data, **_):
        _refuse_repeated(data["videos"], "videos")

    @validates_schema
    def _gate_has_quizzes(self, data, **_):
        if not data["quiz_required"]:
            return
        for index, video in enumerate(data["videos"]):
            if not video["quizzes"]:
                raise ValidationError(
                    {"videos": {index: {"quizzes": ["the course demands quizzes and this has none"]}}}
                )


class SeasonTitles(Schema):
    zh = fields.String(required=True, validate=_title)
    en = fields.String(required=True, validate=_title)


class Season(Outline):
    """One season: a file under `seasons/`, or the body of `publish_programme`."""

    code = fields.String(required=True, validate=_code)
    titles = fields.Nested(SeasonTitles, required=True)
    rule_pack = fields.String(required=True, validate=_pack)
    certificate_template = fields.String(required=True, validate=_pack)
    silence_limit_seconds = fields.Integer(required=True, strict=True, validate=validate.Range(min=30, max=3600))
    presence_prompt_seconds = fields.Integer(strict=True, validate=validate.Range(min=300, max=7200))
    place = fields.String(validate=questions.PLACE)
    opens_at = fields.AwareDateTime(required=True, validate=_plausible)
    closes_at = fields.AwareDateTime(required=True, validate=_plausible)
    courses = fields.List(fields.Nested(Course), required=True, validate=validate.Length(min=1, max=100))
    # Banks that come with the season; exams and question sets may also draw on banks published before.
    question_banks = fields.List(fields.Nested(questions.QuestionBank), validate=validate.Length(max=20))
    exams = fields.List(fields.Nested(questions.Exam), validate=validate.Length(max=50))

    @validates_schema
    def _windows_are_in_order(self, data, **_):
        if data["opens_at"] >= data["closes_at"]:
            raise ValidationError("the programme closes before it opens", "closes_at")
        for index, course in enumerate(data["courses"]):
            if not data["opens_at"] <= course["opens_at"] < data["closes_at"]:
                raise ValidationError({"courses": {index: {"opens_at": ["outside the programme's window"]}}})

    @validates_schema
    def _keys_are_unique(self, data, **_):
        _refuse_repeated(data["courses"], "courses")
        questions.refuse_repeated(data.get("question_banks", []), "question_banks", "code")

    @validates_schema
    def _exams_fit(self, data, **_):
        exams = data.get("exams", [])
        _refuse_repeated(exams, "exams")
        if sum("course" not in exam for exam in exams) > 1:
            # Recognition asks for one score of the programme.
            raise ValidationError("a programme has one exam of its own at most; the others belong to a course", "exams")
        known = {course["key"] for course in data["courses"]}
        for index, exam in enumerate(exams):
            opens_at, closes_at = exam.get("opens_at", data["opens_at"]), exam.get("closes_at", data["closes_at"])
            if not data["opens_at"] <= opens_at < closes_at <= data["closes_at"]:
                raise ValidationError({"exams": {index: {"opens_at": ["outside the programme's window"]}}})
            if "course" in exam and exam["course"] not in known:
                raise ValidationError({"exams": {index: {"course": ["no such course"]}}})
            for nth, condition in enumerate(exam["after"]):
                if condition["course"] not in known:
                    raise ValidationError({"exams": {index: {"after": {nth: {"course": ["no such course"]}}}}})


class GetProgramme(Schema):
    programme_id = fields.UUID(required=True)


class ListProgrammes(Page):
    cursor = fields.String(load_default="", validate=validate.Length(max=100))


class QuizShown(Schema):
    """A quiz point without its answers."""

    quiz_id = fields.String()
    at_seconds = fields.Integer()
    prompt = fields.String()
    options = fields.List(fields.String())


class VideoShown(Schema):
    activity_id = fields.String()
    key = fields.String()
    title = fields.String()
    seconds = fields.Integer()
    media = fields.String(dump_default="")
    quizzes = fields.List(fields.Nested(QuizShown))


class CourseShown(Schema):
    course_id = fields.String()
    key = fields.String()
    title = fields.String()
    opens_at = fields.String()
    quiz_required = fields.Boolean()
    module = fields.String(dump_default=None)
    phase = fields.String(dump_default=None)
    videos = fields.List(fields.Nested(VideoShown))


class ExamShown(Schema):
    exam_id = fields.String()
    course_id = fields.String(allow_none=True)
    key = fields.String()
    titles = fields.Nested(contract.Titles)
    opens_at = fields.String()
    closes_at = fields.String()
    minutes = fields.Integer()
    attempts = fields.Integer()
    pass_mark = fields.Integer()
    questions = fields.Function(lambda exam: sum(pool["count"] for pool in exam["draw"]))


class PhaseShown(Schema):
    """`opens_at`: when the first of its courses opens."""

    key = fields.String()
    titles = fields.Nested(contract.Titles)
    opens_at = fields.String()


class ModuleShown(Schema):
    key = fields.String()
    titles = fields.Nested(contract.Titles)
    hour_cap = fields.String(allow_none=True)


class ProgrammeSummary(Schema):
    programme_id = fields.String()
    code = fields.String()
    version = fields.Integer()
    state = fields.String()
    titles = fields.Nested(contract.Titles)
    opens_at = fields.String()
    closes_at = fields.String()
    days_left = fields.Integer()
    rule_pack = fields.String()
    content_hash = fields.String()
    place = fields.String()
    visibility = fields.String()
    audience = fields.Nested(contract.ProgrammeAudience)


class ProgrammeShown(ProgrammeSummary):
    modules = fields.List(fields.Nested(ModuleShown))
    phases = fields.List(fields.Nested(PhaseShown))
    courses = fields.List(fields.Nested(CourseShown))
    exams = fields.List(fields.Nested(ExamShown))


class ProgrammePage(Schema):
    items = fields.List(fields.Nested(ProgrammeSummary))
    next_cursor = fields.String(allow_none=True)


class Publication(Schema):
    """What a publication did: `published` is False when this very content was already there."""

    class Meta:
        unknown = EXCLUDE

    programme_id = fields.String()
    code = fields.String()
    version = fields.Integer()
    content_hash = fields.String()
    published = fields.Boolean()
