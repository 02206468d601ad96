"""Special training 专项培训 (`domain.md` §3.14): states, buckets, events and refusals."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

TRAINING_CHANGED: Final = "learning.training_changed"
TRAINING_GRADED: Final = "learning.training_graded"

SESSIONS_AT_ONCE: Final = 100  # of a timetable, in one command
APPLICANTS_AT_ONCE: Final = 200  # graded or checked in by one command


class TrainingState(enum.StrEnum):
    """One teacher's application for one project, from the first review to the result."""

    SCHOOL_REVIEW = "SCHOOL_REVIEW"  # 校长审核
    DISTRICT_REVIEW = "DISTRICT_REVIEW"  # 区县审核
    INSTITUTION_REVIEW = "INSTITUTION_REVIEW"  # 承训机构审核
    TAKEN_BACK = "TAKEN_BACK"  # by the teacher while under review; may apply again
    REJECTED = "REJECTED"
    ADMITTED = "ADMITTED"
    ATTENDING = "ATTENDING"  # checked in at least once
    PASSED = "PASSED"
    FAILED = "FAILED"
    VOID = "VOID"  # the project was withdrawn


class ReviewStage(enum.StrEnum):
    """The three reviews, in their order; each is the state in which an application waits for it."""

    SCHOOL_REVIEW = "SCHOOL_REVIEW"
    DISTRICT_REVIEW = "DISTRICT_REVIEW"
    INSTITUTION_REVIEW = "INSTITUTION_REVIEW"


class TrainingBucket(enum.StrEnum):
    """我的专项培训 as Guangxi shows it (S2:51, 76)."""

    ONGOING = "ONGOING"  # 进行中
    NOT_BEGUN = "NOT_BEGUN"  # 未开始
    OVER = "OVER"  # 已结束
    UNDER_REVIEW = "UNDER_REVIEW"  # 审核中
    REJECTED = "REJECTED"  # 未通过


class TrainingChanged(Schema):
    """The whole application, at each of its steps."""

    application_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    teacher_id = fields.UUID(required=True)
    project_id = fields.UUID(required=True)
    state = fields.String(required=True)
    at = fields.String(required=True)


class TrainingGraded(Schema):
    """The result of one application as it stands; a later version replaces every earlier one, also a pass by a fail.

    `amount`: a decimal as a string, in `unit` (HOUR or CREDIT); `year`: of the training's last day, which the amount belongs to;
    `place`: of the project's keeper, who recognises; `graded_on`: the Beijing day.
    """

    application_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    teacher_id = fields.UUID(required=True)
    project_id = fields.UUID(required=True)
    title = fields.String(required=True)
    passed = fields.Boolean(required=True)
    amount = fields.String(required=True)
    unit = fields.String(required=True)
    hour_type = fields.String(required=True)
    course_type = fields.String(required=True)
    year = fields.Integer(required=True, strict=True)
    place = fields.String(required=True)
    graded_on = fields.Date(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {TRAINING_CHANGED: TrainingChanged, TRAINING_GRADED: TrainingGraded}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "learning.project_unknown": (
        "没有这个专项培训项目，或不面向您所在的地区。",
        "There is no such training project for you.",
    ),
    "learning.project_withdrawn": ("该项目已撤回。", "The project has been withdrawn."),
    "learning.applications_not_open": ("报名尚未开始。", "Applications are not being taken yet."),
    "learning.applications_over": ("报名已经截止。", "Applications are over."),
    "learning.application_needs_school": (
        "请先加入学校：专项培训须经学校审核。",
        "Join a school first: it is the first to review an application.",
    ),
    "learning.application_archived": (
        "您已归档，须由学校恢复在职后才能申报专项培训。",
        "You are archived: your school restores you before you can apply for special training.",
    ),
    "learning.not_for_you": (
        "您的学段、学科、地区或学校不符合该项目的参训条件。",
        "The project is not meant for your segment, subject, region or school.",
    ),
    "learning.applied_already": ("您已申报该项目。", "You have applied for this project already."),
    "learning.application_unknown": ("没有这条专项培训申报。", "There is no such application for special training."),
    "learning.application_state": (
        "该申报当前不能进行此操作，请刷新后查看。",
        "The application is not at a point where this can be done; look at it again.",
    ),
    "learning.own_application": (
        "不能审核本人的申报，也不能登记本人的签到和结果。",
        "Nobody reviews, checks in or grades himself.",
    ),
    "learning.class_full": ("该项目的名额已满。", "All places of the project are taken."),
    "learning.class_over": ("培训已结束，不能再修改班级安排。", "The training is over: its class stays as it is."),
    "learning.session_outside_training": (
        "课程安排须先开始后结束，并在培训日期之内。",
        "A session ends after it begins, inside the days of the training.",
    ),
    "learning.class_session_unknown": ("没有这次课。", "There is no such session of a class."),
    "learning.class_session_attended": (
        "已有学员签到，不能删除这次课。",
        "Somebody has checked in at this session: it cannot be taken off the timetable.",
    ),
    "learning.timetable_full": ("课程安排已达上限。", "The timetable is full."),
    "learning.check_in_closed": (
        "签到从开课前30分钟到下课为止。",
        "Check-in is open from half an hour before a session until its end.",
    ),
    "learning.check_in_locked": (
        "签到码错误次数过多，请由培训机构登记签到。",
        "Too many wrong codes: let the institution check you in.",
    ),
    "learning.check_in_code_wrong": ("签到码不正确或已更换。", "The code is wrong, or has changed."),
    "learning.check_in_place_missing": (
        "本次签到须提供您的位置。",
        "This session asks where you are: allow your position to be read.",
    ),
    "learning.check_in_elsewhere": ("您不在签到地点附近。", "You are not near the place of the session."),
    "learning.training_not_over": (
        "培训结束日起才能登记结果。",
        "Results can be entered from the last day of the training on.",
    ),
    "learning.training_year_over": (
        "学时须在培训结束当年的12月31日前录入；逾期请走学时申报。",
        "Hours are entered by 31 December of the year in which the training ends; later only by a declaration of hours.",
    ),
    "learning.never_checked_in": ("学员没有签到，不能登记为合格。", "Who never checked in cannot pass."),
}
