"""Grades of courses chosen in a period: the event that credits recognises, and refusals (`domain.md` §3.12)."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

COURSE_GRADED: Final = "learning.course_graded"

GRADED_AT_ONCE: Final = 200  # rows of one command; longer lists come as a job


class CourseGraded(Schema):
    """The grade of one choice as it stands; a later version replaces every earlier one, also a pass by a fail.

    `hours`: a decimal as a string; `place`: of the period, the city or district that recognises the course; `year`: of the
    period, which the hours belong to; `graded_on`: the Beijing day.
    """

    choice_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    teacher_id = fields.UUID(required=True)
    offering_id = fields.UUID(required=True)
    period_id = fields.UUID(required=True)
    period_code = fields.String(required=True)
    course_no = fields.String(required=True)
    title = fields.String(required=True)
    passed = fields.Boolean(required=True)
    hours = fields.String(required=True)
    hour_type = fields.String(required=True)
    course_type = fields.String(required=True)
    year = fields.Integer(required=True, strict=True)
    place = fields.String(required=True)
    graded_on = fields.Date(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {COURSE_GRADED: CourseGraded}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "learning.grading_not_open": (
        "该期尚未开课，不能登记成绩。",
        "The period has not begun to teach: no grade can be entered yet.",
    ),
    "learning.grading_over": ("该期已归档，成绩不能再修改。", "The period is archived: its grades stay as they are."),
    "learning.not_admitted": (
        "学员未被录取，不能登记成绩。",
        "Only who is admitted to the course can be graded.",
    ),
    "learning.grade_reason_missing": ("修改成绩须说明原因。", "Changing a grade takes a reason."),
    "learning.not_your_own_grade": ("不能登记本人的成绩。", "Nobody grades himself."),
    "learning.score_malformed": (
        "分数须为0至100的数字，最多一位小数。",
        "A score is a number from 0 to 100 with at most one decimal.",
    ),
}
