"""Bodies and queries of courses that periods offer. Shapes only: what makes a course sound is the catalogue's to say."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.org import EXAMPLE_ID, choice, place
from services.catalog.contract.courses import CapabilityClass, CourseState, CourseType, HourType, Terminal
from services.identity.contract import SEGMENTS

CITY = "CN/440000/440100"
PLACE = {"description": "A city, a district, or an institution's own place.", "example": CITY}
VERSION = {"description": "As it was read; another's change meanwhile is a conflict.", "example": 1}
INSTANT = {"description": "RFC 3339, UTC.", "example": "2026-01-10T02:00:00.000000Z"}
REASON = {"description": "Kept with the record.", "example": "讲师生病"}
NUMBER = {"description": "课程编号, unique where the course is kept.", "example": "ZY20260118"}
TITLE = {"example": "小学语文阅读教学"}
LECTURER = {"description": "主讲教师", "example": "李明"}
HOUR_TYPE = {
    "description": "学时类型: 公需 PUBLIC, 专业 PROFESSIONAL, 个人选修 ELECTIVE; Guangxi's 公共必修 PUBLIC_COMPULSORY, "
    "专业选修 PROFESSIONAL_CHOICE, 自主选修 OWN_CHOICE, 校本研修课程 SCHOOL_BASED.",
    "example": "PROFESSIONAL",
}
COURSE_TYPE = {
    "description": "远程 REMOTE, 面授 FACE_TO_FACE, 校本 SCHOOL_BASED, 微课程 MICRO, 直播 LIVE.",
    "example": "REMOTE",
}
HOURS = {"description": "学时, a decimal.", "example": "18.00"}
FEE = {"description": "培训费, yuan.", "example": "90.00"}
MATERIAL_FEE = {"description": "资料费, yuan.", "example": "0.00"}
CLASS = {"description": "Only of the ICT capability project 能力提升工程.", "example": None}
SUBJECTS = {"description": "学科; empty: all.", "example": ["语文"]}
SEGMENTS_SHOWN = {"description": "学段; empty: all.", "example": ["PRIMARY"]}
TERMINALS = {"description": "学习终端", "example": ["COMPUTER", "MOBILE"]}
SERIES = {"description": "系列 of a micro-course, for display.", "example": ""}
AMOUNT = r"^[0-9]{1,8}(\.[0-9]{1,2})?$"


def amount(**options: object) -> fields.String:
    return fields.String(validate=validate.Regexp(AMOUNT), **options)  # type: ignore[arg-type]


class CourseContent(Schema):
    course_no = Text(30, required=True, metadata=NUMBER)
    title = Text(120, required=True, metadata=TITLE)
    lecturer = Text(60, shortest=0, metadata=LECTURER)
    hour_type = choice(HourType, required=True, metadata=HOUR_TYPE)
    course_type = choice(CourseType, required=True, metadata=COURSE_TYPE)
    hours = amount(required=True, metadata=HOURS)
    fee = amount(metadata=FEE)
    material_fee = amount(metadata=MATERIAL_FEE)
    capability_class = choice(CapabilityClass, allow_none=True, metadata=CLASS)
    subjects = fields.List(Text(30), validate=validate.Length(max=30), metadata=SUBJECTS)
    segments = fields.List(
        fields.String(validate=validate.OneOf(SEGMENTS)), validate=validate.Length(max=6), metadata=SEGMENTS_SHOWN
    )
    terminals = fields.List(choice(Terminal), validate=validate.Length(max=2), metadata=TERMINALS)
    applicant_unit_id = fields.UUID(required=True, metadata={"description": "申报单位", "example": EXAMPLE_ID})
    charging_unit_id = fields.UUID(required=True, metadata={"description": "收费单位", "example": EXAMPLE_ID})
    series = Text(60, shortest=0, metadata=SERIES)
    summary = Text(4000, shortest=0, metadata={"description": "课程简介", "example": ""})


class NewCourse(CourseContent):
    place = place(required=True)


class CourseChange(CourseContent):
    version = Whole(required=True, metadata=VERSION)


class Withdrawal(Schema):
    version = Whole(required=True, metadata=VERSION)
    reason = Text(200, shortest=2, required=True, metadata=REASON)


class CoursesQuery(Page):
    place = place(required=True)
    state = choice(CourseState, metadata={"example": "OPEN"})
    course_no = Text(30, metadata=NUMBER)


class CourseFacts(ma.Schema):
    """What both a course and an offering say."""

    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_no = fields.String(metadata=NUMBER)
    title = fields.String(metadata=TITLE)
    lecturer = fields.String(metadata=LECTURER)
    hour_type = choice(HourType, metadata=HOUR_TYPE)
    course_type = choice(CourseType, metadata=COURSE_TYPE)
    hours = fields.String(metadata=HOURS)
    fee = fields.String(metadata=FEE)
    material_fee = fields.String(metadata=MATERIAL_FEE)
    capability_class = choice(CapabilityClass, allow_none=True, metadata=CLASS)
    subjects = fields.List(fields.String(), metadata=SUBJECTS)
    segments = fields.List(fields.String(), metadata=SEGMENTS_SHOWN)
    terminals = fields.List(fields.String(), metadata=TERMINALS)
    series = fields.String(metadata=SERIES)
    applicant_unit_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    charging_unit_id = fields.UUID(metadata={"example": EXAMPLE_ID})


class Course(CourseFacts):
    version = fields.Integer(metadata=VERSION)
    place = fields.String(metadata=PLACE)
    state = choice(CourseState, metadata={"example": "OPEN"})
    applicant_name = fields.String(metadata={"example": "广州市广播电视大学"})
    charging_name = fields.String(metadata={"example": "广州市广播电视大学"})
    summary = fields.String()
    changed_at = fields.String(metadata=INSTANT)


class Courses(PageReply):
    items = fields.List(fields.Nested(Course), required=True)


class PastState(ma.Schema):
    """One state that was kept."""

    version = fields.Integer(metadata=VERSION)
    content = fields.Dict(keys=fields.String())
    published_by = fields.String(metadata={"description": "The account, or the service.", "example": EXAMPLE_ID})
    published_at = fields.String(metadata=INSTANT)


class PastStates(ma.Schema):
    items = fields.List(fields.Nested(PastState), required=True)
