"""Projects of special training 专项培训 (`domain.md` §3.14): the event that tells them, value sets, refusals."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

from services.catalog.contract.courses import CourseType, HourType
from services.catalog.contract.periods import Audience

PROJECT_CHANGED: Final = "catalog.training_project_changed"


class ProjectLevel(enum.StrEnum):
    """Who set the project up 项目级别 (S2:80)."""

    NATIONAL = "NATIONAL"  # 国家级
    PROVINCIAL = "PROVINCIAL"  # 省级、自治区级
    CITY = "CITY"  # 市级
    COUNTY = "COUNTY"  # 区县级


class ProjectState(enum.StrEnum):
    DRAFT = "DRAFT"  # the keeper's own affair
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"  # who had applied or was admitted is no longer; what is graded stays


class Unit(enum.StrEnum):
    """What a project's standard is counted in: hours in Guangzhou (S3:734), credits in Guangxi (S2:88)."""

    HOUR = "HOUR"
    CREDIT = "CREDIT"


# How a project is held. Training inside a school and micro-courses are no projects.
PROJECT_FORMS: Final = frozenset({CourseType.REMOTE, CourseType.FACE_TO_FACE, CourseType.LIVE})
# Of Guangzhou's three types only 专业科目 (GZ.SPECIAL, S3:734); of Guangxi's all but 校本研修课程 (S2:88).
PROJECT_HOUR_TYPES: Final = frozenset(
    {HourType.PROFESSIONAL, HourType.PUBLIC_COMPULSORY, HourType.PROFESSIONAL_CHOICE, HourType.OWN_CHOICE}
)


class ProjectChanged(Schema):
    """The whole project, from its publication on. Applications are taken from `applies_from` up to, not including,
    `applies_until`; training goes from the day `starts_on` through `ends_on`, whose year the hours belong to."""

    project_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    place_id = fields.String(required=True)  # of the keeper, who recognises
    shown_at = fields.String(required=True)  # the region whose teachers may apply
    title = fields.String(required=True)
    level = fields.Enum(ProjectLevel, required=True)
    project_type = fields.String(required=True)
    course_type = fields.Enum(CourseType, required=True)
    funding = fields.String(required=True)
    hour_type = fields.Enum(HourType, required=True)
    unit = fields.Enum(Unit, required=True)
    amount = fields.String(required=True)
    subject = fields.String(required=True)
    institution_unit_id = fields.UUID(required=True)
    institution_name = fields.String(required=True)
    institution_place = fields.String(required=True)
    venue = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    applies_from = fields.AwareDateTime(required=True)
    applies_until = fields.AwareDateTime(required=True)
    capacity = fields.Integer(required=True, allow_none=True)
    audience = fields.Nested(Audience, required=True)
    conditions = fields.String(required=True)
    summary = fields.String(required=True)
    state = fields.Enum(ProjectState, required=True)


EVENTS: Final[dict[str, type[Schema]]] = {PROJECT_CHANGED: ProjectChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.project_unknown": ("没有这个专项培训项目", "There is no such training project"),
    "catalog.project_version": (
        "该项目已被他人修改，请刷新后重试",
        "The project was changed meanwhile; look at it again",
    ),
    "catalog.project_state": ("该项目目前的状态不允许此操作", "The project's present state does not allow this"),
    "catalog.project_window": (
        "报名须先开始后结束，并在开班之前截止；培训结束日不得早于开始日",
        "Applications end after they begin and before the training does; its last day is not before its first",
    ),
    "catalog.project_past": ("该时间已经过去", "This time has passed"),
    "catalog.project_applied": (
        "报名已开始：只能修改名称、地点、简介、培训日期、报名截止时间，名额只能增加",
        "Applications are being taken: only title, venue, summary, dates and the end of applications can change; seats only grow",
    ),
    "catalog.project_over": ("培训已结束，项目不能再修改", "The training is over: the project stays as it is"),
}
