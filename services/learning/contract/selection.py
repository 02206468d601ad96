"""Choosing courses of a period: states, events and refusals (`domain.md` §3.12)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

CHOICE_CHANGED: Final = "learning.choice_changed"
SELECTION_CLOSED: Final = "learning.selection_closed"

BASKET_LINES: Final = 50  # a basket that is submitted at once; nobody needs more courses in half a year


class ChoiceState(enum.StrEnum):
    """One teacher's choice of one offering. What was never chosen, or taken out of the window's list, is no choice."""

    CHOSEN = "CHOSEN"
    CANCELLED = "CANCELLED"  # inside the window; may be chosen again there
    VOID = "VOID"  # cancelled after the window by the charging institution, or the offering was withdrawn
    BILLED = "BILLED"
    ADMITTED = "ADMITTED"  # paid, or nothing to pay
    UNPAID = "UNPAID"  # the due date passed
    PASSED = "PASSED"
    FAILED = "FAILED"


class ChosenBy(enum.StrEnum):
    SELF = "SELF"
    ADMIN = "ADMIN"


class Bucket(enum.StrEnum):
    """How teachers look for their courses (S3, learner's manual: 学习中, 已通过, 未通过)."""

    SELECTED = "SELECTED"  # 已选, not yet admitted
    STUDYING = "STUDYING"
    PASSED = "PASSED"
    FAILED = "FAILED"
    OVER = "OVER"  # cancelled or void


BUCKETS: Final[dict[Bucket, frozenset[ChoiceState]]] = {
    Bucket.SELECTED: frozenset({ChoiceState.CHOSEN, ChoiceState.BILLED, ChoiceState.UNPAID}),
    Bucket.STUDYING: frozenset({ChoiceState.ADMITTED}),
    Bucket.PASSED: frozenset({ChoiceState.PASSED}),
    Bucket.FAILED: frozenset({ChoiceState.FAILED}),
    Bucket.OVER: frozenset({ChoiceState.CANCELLED, ChoiceState.VOID}),
}


class ChoiceChanged(Schema):
    """The whole choice. `school_id` and `place`: the unit at the time of choosing, which is billed."""

    choice_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    teacher_id = fields.UUID(required=True)
    school_id = fields.UUID(required=True)
    place = fields.String(required=True)
    offering_id = fields.UUID(required=True)
    period_id = fields.UUID(required=True)
    state = fields.String(required=True)
    chosen_by = fields.String(required=True)
    at = fields.String(required=True)


class SelectionClosed(Schema):
    """Told once per period: from now on no choice of it can become CHOSEN.

    `choices` are those still CHOSEN; `versions` is the sum of the versions of all choices of the period at that moment:
    whoever holds less must wait for the rest. A choice that becomes VOID afterwards makes the sum larger.
    """

    period_id = fields.UUID(required=True)
    choices = fields.Integer(required=True, strict=True)
    versions = fields.Integer(required=True, strict=True)


EVENTS: Final[dict[str, type[Schema]]] = {CHOICE_CHANGED: ChoiceChanged, SELECTION_CLOSED: SelectionClosed}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "learning.offering_unknown": (
        "没有这门课程，或不面向您所在的区开放。",
        "There is no such course for you to choose.",
    ),
    "learning.offering_withdrawn": ("该课程已撤回。", "The course has been withdrawn."),
    "learning.period_unknown": ("没有这一期。", "There is no such period."),
    "learning.selection_not_open": ("选课尚未开始。", "Selection has not begun."),
    "learning.selection_over": (
        "选课时间已结束；如需取消，请联系课程的培训机构。",
        "The selection window has ended; only the course's institution can still cancel.",
    ),
    "learning.selection_running": (
        "选课尚未结束，请由教师本人或学校取消。",
        "The selection window is open: the teacher or the school cancels.",
    ),
    "learning.choice_needs_school": (
        "请先加入学校：选课以学校为单位缴费。",
        "Join a school first: courses are paid for by the school.",
    ),
    "learning.archived": (
        "该教师已归档，不能选课；请先由所在学校恢复在职。",
        "The teacher is archived and chooses no courses until the school restores her.",
    ),
    "learning.not_in_audience": (
        "培训对象不包括您的学段、学科、地区或学校。",
        "It is not meant for your segment, subject, region or school.",
    ),
    "learning.own_choice_only": (
        "能力提升工程的课程只能由教师本人测评后选课。",
        "Courses of the capability project are chosen by the teacher alone, after the assessment.",
    ),
    "learning.special_user": (
        "特殊用户须先到市教师培训中心消除后才能选课。",
        "A special user must be cleared by the city's training centre before choosing.",
    ),
    "learning.holds_unknown": (
        "暂时无法核实缴费状态，请稍后再试。",
        "Whether there are arrears cannot be checked just now: try again soon.",
    ),
    "learning.offering_full": ("该课程名额已满。", "The course is full."),
    "learning.choice_unknown": ("没有这条选课记录。", "There is no such choice."),
    "learning.choice_state": ("该选课记录当前不能进行此操作。", "The choice is not at a point where this can be done."),
    "learning.teacher_unknown": ("本校没有这位教师。", "There is no such teacher at your school."),
    "learning.basket_full": ("课单已满，请先提交或移出课程。", "The basket is full: submit it or take something out."),
    "learning.basket_empty": ("课单中没有课程。", "The basket is empty."),
    "learning.basket_changed": (
        "课单已变化，请刷新后再提交。",
        "The basket has changed: look at it again before you submit.",
    ),
    "learning.course_no_unknown": ("该期没有这个课程编号。", "The period has no course of this number."),
}
