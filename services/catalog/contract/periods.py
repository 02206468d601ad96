"""Periods (期) and offerings (one course offered in one period): events, value sets, refusals (`domain.md` §3.12)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

from services.catalog.contract.courses import CapabilityClass, CourseType, HourType

PERIOD_CHANGED: Final = "catalog.period_changed"
OFFERING_CHANGED: Final = "catalog.offering_changed"


class Tier(enum.StrEnum):
    """Whose period it is: the city's 市级, or a district's 区级, whose courses are seen there only."""

    CITY = "CITY"
    DISTRICT = "DISTRICT"


class PeriodState(enum.StrEnum):
    """In this order, and never back."""

    PLANNED = "PLANNED"
    PUBLISHED = "PUBLISHED"
    SELECTING = "SELECTING"
    CLOSED = "CLOSED"
    BILLED = "BILLED"
    TEACHING = "TEACHING"
    GRADED = "GRADED"
    ARCHIVED = "ARCHIVED"


class OfferingState(enum.StrEnum):
    OPEN = "OPEN"
    WITHDRAWN = "WITHDRAWN"  # what was chosen of it is void


class PeriodChanged(Schema):
    """The whole period. Windows are half-open: from `selects_from` up to, not including, `selects_until`."""

    period_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    code = fields.String(required=True)  # such as 2026-1
    title = fields.String(required=True)
    tier = fields.Enum(Tier, required=True)
    place_id = fields.String(required=True)  # the city or district, a materialised path
    year = fields.Integer(required=True)
    state = fields.Enum(PeriodState, required=True)
    selects_from = fields.AwareDateTime(required=True)
    selects_until = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)  # last day to pay


class Audience(Schema):
    """Whom an offering is for; an empty list asks for nothing. A teacher must fit every list that is not empty."""

    segments = fields.List(fields.String(), required=True)
    subjects = fields.List(fields.String(), required=True)
    place_ids = fields.List(fields.String(), required=True)  # regions, materialised paths
    school_ids = fields.List(fields.UUID(), required=True)


class OfferingChanged(Schema):
    """The whole offering. `hours`, `fee` and `material_fee` are decimals as strings, the fees in yuan."""

    offering_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    period_id = fields.UUID(required=True)
    tier = fields.Enum(Tier, required=True)
    place_id = fields.String(required=True)  # of the period
    course_id = fields.UUID(required=True)
    course_no = fields.String(required=True)
    title = fields.String(required=True)
    hour_type = fields.Enum(HourType, required=True)
    course_type = fields.Enum(CourseType, required=True)
    hours = fields.String(required=True)
    fee = fields.String(required=True)
    material_fee = fields.String(required=True)
    public_course = fields.Boolean(required=True)
    applicant_unit_id = fields.UUID(required=True)
    applicant_place = fields.String(required=True)
    charging_unit_id = fields.UUID(required=True)
    charging_place = fields.String(required=True)
    capacity = fields.Integer(required=True, allow_none=True)
    audience = fields.Nested(Audience, required=True)
    capability = fields.Boolean(required=True)
    capability_class = fields.Enum(CapabilityClass, required=True, allow_none=True)
    state = fields.Enum(OfferingState, required=True)


EVENTS: Final[dict[str, type[Schema]]] = {PERIOD_CHANGED: PeriodChanged, OFFERING_CHANGED: OfferingChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.period_unknown": ("没有这一期", "There is no such period"),
    "catalog.period_code_taken": ("此处已有这一期数", "There is a period of this code here already"),
    "catalog.period_state": ("该期目前的状态不允许此操作", "The period's present state does not allow this"),
    "catalog.period_version": ("该期已被他人修改，请刷新后重试", "The period was changed meanwhile; look at it again"),
    "catalog.period_place": (
        "市级期只能由该市培训中心设置，区级期只能由该区培训机构设置",
        "A city's period is opened by the city centre, a district's by the district's institution",
    ),
    "catalog.window_order": (
        "选课结束须晚于开始，缴费截止不得早于选课结束",
        "Selection must end after it begins, and the last day to pay is not before its end",
    ),
    "catalog.window_midnight": (
        "选课时间须为北京时间零点",
        "The window begins and ends at midnight in Beijing",
    ),
    "catalog.window_past": ("该时间已经过去", "This time has passed"),
    "catalog.window_begun": (
        "选课已开始，只能调整结束时间和缴费截止日",
        "Selection has begun: only its end and the last day to pay can be moved",
    ),
    "catalog.nothing_offered": ("该期尚无开设的课程", "No course is offered in this period yet"),
    "catalog.offering_unknown": ("没有这门开设的课程", "There is no such offering"),
    "catalog.offering_exists": ("该期已开设此课程", "The period offers this course already"),
    "catalog.offering_version": (
        "开课信息已被他人修改，请刷新后重试",
        "The offering was changed meanwhile; look at it again",
    ),
    "catalog.offering_withdrawn": ("该开课已撤回", "This offering has been withdrawn"),
    "catalog.offering_narrowed": (
        "选课已开始，名额只能增加，培训对象不能修改",
        "Selection has begun: places can only be added, and the audience stays",
    ),
    "catalog.audience_outside": (
        "培训对象超出主办地的范围",
        "The audience reaches beyond the place that offers this",
    ),
}
