"""Shapes of question banks and exams: parts of the season file, arguments, replies."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.catalog.contract.questions import QuestionKind
from services.shared.fields import Instant
from services.shared.paging import Page

BANK_CODE = validate.Regexp(r"\A[a-z][a-z0-9-]{0,79}\Z", error="lower-case letters, digits and -, at most 80")
PLACE = validate.Regexp(r"\ACN(/[0-9]{6}){0,3}\Z", error="a place of the tree, e.g. CN/350000/350300")
KEY = validate.Regexp(r"\A[a-z][a-z0-9_]{0,39}\Z", error="lower-case letters, digits and _, at most 40")
_text = validate.Length(min=1, max=200)
# A draw of a hundred from ten thousand is more than any exam of the manuals; a file stays below the bus's limit.
MOST_QUESTIONS = 3000
MOST_DRAWN = 200


class Titles(Schema):
    zh = fields.String(required=True, validate=_text)
    en = fields.String(required=True, validate=_text)


class Question(Schema):
    """SINGLE and MULTIPLE have `options` and `answers`, TRUE_FALSE has `answer`."""

    key = fields.String(required=True, validate=KEY)
    kind = fields.Enum(QuestionKind, required=True)
    prompt = fields.String(required=True, validate=validate.Length(min=1, max=1000))
    options = fields.List(fields.String(validate=_text), validate=validate.Length(min=2, max=10))
    answers = fields.List(fields.String(validate=_text), validate=validate.Length(min=1, max=10))
    answer = fields.Boolean(truthy={True}, falsy={False})
    analysis = fields.String(validate=validate.Length(max=2000))

    @validates_schema
    def _fits_its_kind(self, data: dict[str, Any], **_: Any) -> None:
        if data["kind"] is QuestionKind.TRUE_FALSE:
            _has_just(data, ("answer",), ("options", "answers"))
            return
        _has_just(data, ("options", "answers"), ("answer",))
        options, answers = data["options"], data["answers"]
        if len(set(options)) < len(options):
            raise ValidationError("an option stands twice", "options")
        if not set(answers) <= set(options) or len(set(answers)) < len(answers):
            raise ValidationError("an answer is not among the options, or stands twice", "answers")
        if data["kind"] is QuestionKind.SINGLE and len(answers) != 1:
            raise ValidationError("a single choice has one answer", "answers")


def _has_just(data: dict[str, Any], needed: tuple[str, ...], foreign: tuple[str, ...]) -> None:
    for name in needed:
        if name not in data:
            raise ValidationError(f"a question of kind {data['kind']} needs it", name)
    for name in foreign:
        if name in data:
            raise ValidationError(f"a question of kind {data['kind']} has none", name)


class QuestionBank(Schema):
    """A bank as a file, or inside a season's file."""

    code = fields.String(required=True, validate=BANK_CODE)
    place = fields.String(load_default="CN", validate=PLACE)
    titles = fields.Nested(Titles, required=True)
    questions = fields.List(fields.Nested(Question), required=True, validate=validate.Length(min=1, max=MOST_QUESTIONS))

    @validates_schema
    def _keys_are_unique(self, data: dict[str, Any], **_: Any) -> None:
        refuse_repeated(data["questions"], "questions")


def refuse_repeated(items: list[dict[str, Any]], field: str, key: str = "key") -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item[key] in seen:
            raise ValidationError({field: {index: {key: ["it stands twice"]}}})
        seen.add(item[key])


class QuestionSet(Schema):
    """Questions of a bank that a quiz point asks, in this order."""

    bank = fields.String(required=True, validate=BANK_CODE)
    questions = fields.List(fields.String(validate=KEY), required=True, validate=validate.Length(min=1, max=10))

    @validates_schema
    def _once_each(self, data: dict[str, Any], **_: Any) -> None:
        if len(set(data["questions"])) < len(data["questions"]):
            raise ValidationError("a question stands twice", "questions")


class Pool(Schema):
    """So many questions of a bank, drawn for each attempt. Without `version`: the bank's newest at publication."""

    bank = fields.String(required=True, validate=BANK_CODE)
    version = fields.Integer(strict=True, validate=validate.Range(min=1))
    count = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_DRAWN))
    points = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=100))


class Condition(Schema):
    """So many seconds of a course's videos, each watched to its end, before the exam may begin."""

    course = fields.String(required=True, validate=KEY)
    seconds = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))


class Exam(Schema):
    """An exam of a course, or of the whole programme. `opens_at` and `closes_at`: the programme's, where absent."""

    key = fields.String(required=True, validate=KEY)
    titles = fields.Nested(Titles, required=True)
    course = fields.String(validate=KEY)
    opens_at = fields.AwareDateTime()
    closes_at = fields.AwareDateTime()
    minutes = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=600))
    attempts = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=20))
    # Of 100, whatever the questions' points add up to.
    pass_mark = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=100))
    after = fields.List(fields.Nested(Condition), load_default=list, validate=validate.Length(max=100))
    draw = fields.List(fields.Nested(Pool), required=True, validate=validate.Length(min=1, max=20))

    @validates_schema
    def _is_no_more_than_a_sitting(self, data: dict[str, Any], **_: Any) -> None:
        if sum(pool["count"] for pool in data["draw"]) > MOST_DRAWN:
            raise ValidationError(f"at most {MOST_DRAWN} questions", "draw")
        refuse_repeated(data["draw"], "draw", "bank")
        refuse_repeated(data["after"], "after", "course")


# --- arguments and replies of the bank's methods -------------------------------------------------------------------------


class BankId(Schema):
    bank_id = fields.UUID(required=True)


class GetQuestionBank(BankId):
    version = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(min=1))


class ListQuestionBanks(Page):
    place = fields.String(required=True, validate=PLACE)
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))


class BankShown(Schema):
    bank_id = fields.UUID()
    code = fields.String()
    place = fields.String()
    titles = fields.Dict()
    version = fields.Integer()
    questions = fields.Integer()
    has_draft = fields.Function(lambda bank: bank.draft is not None)
    changed_at = Instant()


class QuestionShown(Schema):
    """Without its answers: they leave the catalogue on the bus only, to their judge."""

    key = fields.String()
    kind = fields.String()
    prompt = fields.String()
    options = fields.List(fields.String())
    analysis = fields.String()
