"""What others may know of question banks and exams."""

from __future__ import annotations

import enum

from marshmallow import Schema, fields

EXAM_PUBLISHED = "catalog.exam_published"


class QuestionKind(enum.StrEnum):
    SINGLE = "SINGLE"  # 单选
    MULTIPLE = "MULTIPLE"  # 多选: all right options and no other
    TRUE_FALSE = "TRUE_FALSE"  # 判断


class PublishedQuestion(Schema):
    """`question_id` names this wording for ever: another version of the bank has other ids."""

    question_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    prompt = fields.String(required=True)
    options = fields.List(fields.String(), required=True)
    # To the one judge of answers, learning; no HTTP reply ever holds them.
    answers = fields.List(fields.String(), required=True)
    analysis = fields.String(required=True)


class PublishedPool(Schema):
    """Draw `count` of the questions, each worth `points`."""

    count = fields.Integer(required=True)
    points = fields.Integer(required=True)
    questions = fields.List(fields.Nested(PublishedQuestion), required=True)


class ExamCondition(Schema):
    """So many seconds of the course's videos, each watched to its end, before an attempt may begin."""

    course_id = fields.UUID(required=True)
    seconds = fields.Integer(required=True)


class ExamTitles(Schema):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ExamPublished(Schema):
    """One exam as its programme's version `version` has it; `course_id` is null for the exam of the whole programme."""

    exam_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    course_id = fields.UUID(required=True, allow_none=True)
    version = fields.Integer(required=True)
    key = fields.String(required=True)
    titles = fields.Nested(ExamTitles, required=True)
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    minutes = fields.Integer(required=True)
    attempts = fields.Integer(required=True)
    pass_mark = fields.Integer(required=True)  # of 100
    after = fields.List(fields.Nested(ExamCondition), required=True)
    draw = fields.List(fields.Nested(PublishedPool), required=True)


EVENTS: dict[str, type[Schema]] = {EXAM_PUBLISHED: ExamPublished}

ERRORS: dict[str, tuple[str, str]] = {
    "catalog.question_bank_unknown": ("没有这个题库", "There is no such question bank"),
    "catalog.question_bank_elsewhere": (
        "该题库属于另一地区，不能改变归属",
        "The question bank belongs to another place, which cannot be changed",
    ),
    "catalog.question_bank_no_draft": (
        "题库没有待发布的新内容",
        "The question bank has nothing new to publish",
    ),
    "catalog.question_bank_unpublished": (
        "没有这个已发布的题库（或版本）",
        "There is no such published question bank, or no such version of it",
    ),
    "catalog.question_bank_too_small": (
        "题库的题目少于要抽取的数量",
        "The question bank has fewer questions than are to be drawn",
    ),
    "catalog.question_unknown": ("题库中没有这道题", "The question bank has no such question"),
    "catalog.would_change_exam": (
        "考试已经开放，不能删除，也不能修改及格线、次数、时长和所属课程",
        "The exam has opened: it cannot be removed, nor its pass mark, attempts, minutes or course changed",
    ),
}
