"""Bodies and queries of special training. Shapes only: what makes sense is the catalogue's and learning's to say."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.courses import HOUR_TYPE, INSTANT, PLACE, REASON, VERSION, amount
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, Person, choice, place
from gateway.schemas.periods import Audience
from services.catalog.contract.courses import COURSE_TYPE_NAMES, HOUR_TYPE_NAMES
from services.catalog.contract.projects import PROJECT_FORMS, PROJECT_HOUR_TYPES, ProjectLevel, ProjectState, Unit
from services.learning.contract.special_training import (
    APPLICANTS_AT_ONCE,
    SESSIONS_AT_ONCE,
    ReviewStage,
    TrainingBucket,
    TrainingState,
)

PROJECT_TITLE = {"example": "骨干教师专项培训"}
LEVEL = {"description": "国家级 NATIONAL, 省级 PROVINCIAL, 市级 CITY, 区县级 COUNTY.", "example": "CITY"}
PROJECT_TYPE = {"description": "项目类型.", "example": "中小学教师信息技术应用能力培训"}
FORM = {
    "description": "培训方式: "
    + ", ".join(f"{COURSE_TYPE_NAMES[each]} {each}" for each in sorted(PROJECT_FORMS))
    + ".",
    "example": "FACE_TO_FACE",
}
FUNDING = {"description": "经费.", "example": "财政经费"}
PROJECT_HOUR_TYPE = {
    "description": "学分类型: "
    + ", ".join(f"{HOUR_TYPE_NAMES[each]} {each}" for each in sorted(PROJECT_HOUR_TYPES))
    + ".",
    "example": "PROFESSIONAL",
}
UNIT = {"description": "What the standard is counted in: 学时 HOUR, 学分 CREDIT.", "example": "HOUR"}
STANDARD = {"description": "标准: what a pass brings.", "example": "24.00"}
SUBJECT = {"description": "学科领域.", "example": "小学语文"}
VENUE = {"description": "培训地点.", "example": "教育学院一号楼"}
STARTS_ON = {"description": "First day of the training.", "example": "2026-03-01"}
ENDS_ON = {"description": "Last day; its year is the one to which the hours belong.", "example": "2026-03-31"}
OPENS = {"description": "Applications are taken from this instant.", "example": "2026-02-01T00:00:00+08:00"}
CLOSES = {"description": "The first instant that no longer counts.", "example": "2026-02-20T00:00:00+08:00"}
CAPACITY = {"description": "名额; null: no limit.", "example": 30}
CONDITIONS = {"description": "参训条件 that reviewers judge.", "example": "教龄三年以上"}
PROJECT_STATE = {"description": "草稿 DRAFT, 已发布 PUBLISHED, 已撤回 WITHDRAWN.", "example": "PUBLISHED"}
STATE = {
    "description": "校长审核 SCHOOL_REVIEW, 区县审核 DISTRICT_REVIEW, 承训机构审核 INSTITUTION_REVIEW, 已撤回 TAKEN_BACK, "
    "未通过 REJECTED, 已录取 ADMITTED, 已签到 ATTENDING, 合格 PASSED, 不合格 FAILED, 项目撤回 VOID.",
    "example": "SCHOOL_REVIEW",
}
BUCKET = {
    "description": "进行中 ONGOING, 未开始 NOT_BEGUN, 已结束 OVER, 审核中 UNDER_REVIEW, 未通过 REJECTED.",
    "example": "ONGOING",
}
STAGE = {
    "description": "The review that you decide, as you saw it: the principal's, the district's, or the institution's.",
    "example": "SCHOOL_REVIEW",
}
CODE = {"description": "Six digits, on the wall for a minute.", "example": "042517"}
LATITUDE, LONGITUDE = {"example": 23.13}, {"example": 113.26}
_PERSON = {"description": "Masked; null when out of reach."}


def _id() -> fields.UUID:
    return fields.UUID(metadata={"example": EXAMPLE_ID})


def _required_id() -> fields.UUID:
    return fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


def _degrees(most: int, metadata: dict[str, Any]) -> fields.Float:
    return fields.Float(allow_none=True, allow_nan=False, validate=validate.Range(-most, most), metadata=metadata)


# --- projects -------------------------------------------------------------------------------------------------------------


class ProjectContent(Schema):
    title = Text(120, required=True, metadata=PROJECT_TITLE)
    level = choice(ProjectLevel, required=True, metadata=LEVEL)
    project_type = Text(120, shortest=0, metadata=PROJECT_TYPE)
    course_type = choice(sorted(PROJECT_FORMS), required=True, metadata=FORM)  # type: ignore[arg-type]
    funding = Text(60, shortest=0, metadata=FUNDING)
    hour_type = choice(sorted(PROJECT_HOUR_TYPES), required=True, metadata=PROJECT_HOUR_TYPE)  # type: ignore[arg-type]
    unit = choice(Unit, metadata=UNIT)
    amount = amount(required=True, metadata=STANDARD)
    subject = Text(60, shortest=0, metadata=SUBJECT)
    institution_unit_id = _required_id()
    venue = Text(120, shortest=0, metadata=VENUE)
    starts_on = fields.Date(required=True, metadata=STARTS_ON)
    ends_on = fields.Date(required=True, metadata=ENDS_ON)
    applies_from = Text(40, required=True, metadata=OPENS)
    applies_until = Text(40, required=True, metadata=CLOSES)
    capacity = Whole(allow_none=True, validate=validate.Range(1, 1_000_000), metadata=CAPACITY)
    audience = fields.Nested(Audience)
    conditions = Text(4000, shortest=0, metadata=CONDITIONS)
    summary = Text(4000, shortest=0, metadata={"example": ""})


class NewProject(ProjectContent):
    place = place(required=True)


class ProjectChange(ProjectContent):
    version = Whole(required=True, metadata=VERSION)


class Publication(Schema):
    version = Whole(required=True, metadata=VERSION)


class ProjectWithdrawal(Publication):
    reason = Text(200, shortest=2, required=True, metadata=REASON)


class ProjectsQuery(Page):
    place = place(required=True)


class KeptProjectsQuery(ProjectsQuery):
    state = choice(ProjectState, metadata=PROJECT_STATE)


class ProjectShown(ma.Schema):
    project_id = _id()
    title = fields.String(metadata=PROJECT_TITLE)
    level = choice(ProjectLevel, metadata=LEVEL)
    project_type = fields.String(metadata=PROJECT_TYPE)
    course_type = fields.String(metadata=FORM)
    funding = fields.String(metadata=FUNDING)
    hour_type = fields.String(metadata=HOUR_TYPE)
    unit = choice(Unit, metadata=UNIT)
    amount = fields.String(metadata=STANDARD)
    subject = fields.String(metadata=SUBJECT)
    institution_name = fields.String(metadata={"description": "培训机构.", "example": "某市教育学院"})
    venue = fields.String(metadata=VENUE)
    starts_on = fields.String(metadata=STARTS_ON)
    ends_on = fields.String(metadata=ENDS_ON)
    applies_from = fields.String(metadata=OPENS)
    applies_until = fields.String(metadata=CLOSES)
    capacity = fields.Integer(allow_none=True, metadata=CAPACITY)
    conditions = fields.String(metadata=CONDITIONS)
    summary = fields.String()
    state = choice(ProjectState, metadata=PROJECT_STATE)


class Project(ProjectShown):
    version = fields.Integer(metadata=VERSION)
    place = fields.String(metadata=PLACE)
    shown_at = fields.String(metadata={"description": "Whose teachers may apply.", "example": EXAMPLE_PLACE})
    institution_unit_id = _id()
    audience = fields.Nested(Audience)
    changed_at = fields.String(metadata=INSTANT)


class Projects(PageReply):
    items = fields.List(fields.Nested(Project), required=True)


# --- applications ---------------------------------------------------------------------------------------------------------


class SuitableProject(ma.Schema):
    project = fields.Nested(ProjectShown)
    application_id = fields.UUID(allow_none=True, metadata={"example": EXAMPLE_ID})
    application_state = fields.String(allow_none=True, metadata=STATE)
    refusal = fields.String(
        metadata={"description": "Why you cannot apply now, a code; empty if you can.", "example": ""}
    )


class SuitableProjects(PageReply):
    items = fields.List(fields.Nested(SuitableProject), required=True)


class NewApplication(Schema):
    statement = Text(500, shortest=0, metadata={"description": "For the reviewers.", "example": ""})


class Application(ma.Schema):
    application_id = _id()
    version = fields.Integer(metadata=VERSION)
    project_id = _id()
    teacher_id = _id()
    school_id = _id()
    state = choice(TrainingState, metadata=STATE)
    statement = fields.String()
    applied_at = fields.String(metadata=INSTANT)
    changed_at = fields.String(metadata=INSTANT)


class Training(Application):
    bucket = fields.String(allow_none=True, metadata=BUCKET)
    project = fields.Nested(ProjectShown)


class ReviewedTraining(Training):
    learner_no = fields.String(metadata={"description": "学号; for the institution.", "example": "44010300001"})
    person = fields.Nested(Person, allow_none=True, metadata=_PERSON)


class Trainings(PageReply):
    items = fields.List(fields.Nested(ReviewedTraining), required=True)


class OwnTrainingsQuery(Page):
    bucket = choice(TrainingBucket, metadata=BUCKET)
    state = choice(TrainingState, metadata={**STATE, "example": "PASSED"})
    search = Text(80, metadata={"description": "Part of a title.", "example": "骨干教师"})
    held_from = fields.Date(
        metadata={"description": "Trainings that end on this day or later.", "example": "2026-01-01"}
    )
    held_until = fields.Date(metadata={"description": "That begin on this day or earlier.", "example": "2026-12-31"})


class BucketCounts(ma.Schema):
    ONGOING = fields.Integer(metadata={"description": "进行中", "example": 2})
    NOT_BEGUN = fields.Integer(metadata={"description": "未开始", "example": 0})
    OVER = fields.Integer(metadata={"description": "已结束", "example": 0})
    UNDER_REVIEW = fields.Integer(metadata={"description": "审核中", "example": 0})
    REJECTED = fields.Integer(metadata={"description": "未通过", "example": 0})


class OwnTrainings(PageReply):
    items = fields.List(fields.Nested(Training), required=True)
    counts = fields.Nested(BucketCounts, required=True)


class ProjectApplicationsQuery(Page):
    state = choice(TrainingState, metadata=STATE)


class ApplicationsQuery(ProjectApplicationsQuery):
    place = place(required=True)
    project_id = _id()


class Approval(Schema):
    stage = choice(ReviewStage, required=True, metadata=STAGE)
    reason = Text(200, shortest=0, metadata={"description": "The reviewer's opinion.", "example": ""})


class Rejection(Schema):
    stage = choice(ReviewStage, required=True, metadata=STAGE)
    reason = Text(200, shortest=2, required=True, metadata={**REASON, "example": "不符合参训条件"})


# --- the class ------------------------------------------------------------------------------------------------------------


class NewNotice(Schema):
    title = Text(120, required=True, metadata={"example": "开班通知"})
    text = Text(8000, required=True, metadata={"example": "请于3月1日8:30到一号楼报到。"})


class NewSession(Schema):
    title = Text(120, required=True, metadata={"example": "第一讲"})
    lecturer = Text(60, shortest=0, metadata={"example": "李明"})
    venue = Text(120, shortest=0, metadata=VENUE)
    starts_at = Text(40, required=True, metadata={"example": "2026-03-01T09:00:00+08:00"})
    ends_at = Text(40, required=True, metadata={"example": "2026-03-01T12:00:00+08:00"})
    latitude = _degrees(90, {**LATITUDE, "description": "With longitude and radius: where one must be to check in."})
    longitude = _degrees(180, LONGITUDE)
    radius_metres = Whole(allow_none=True, validate=validate.Range(50, 10_000), metadata={"example": 300})


class NewSessions(Schema):
    sessions = fields.List(
        fields.Nested(NewSession), required=True, validate=validate.Length(min=1, max=SESSIONS_AT_ONCE)
    )


class Notice(ma.Schema):
    title = fields.String(metadata={"example": "开班通知"})
    text = fields.String()
    noticed_at = fields.String(metadata=INSTANT)


class ClassSession(ma.Schema):
    session_id = _id()
    title = fields.String(metadata={"example": "第一讲"})
    lecturer = fields.String(metadata={"example": "李明"})
    venue = fields.String(metadata=VENUE)
    starts_at = fields.String(metadata=INSTANT)
    ends_at = fields.String(metadata=INSTANT)
    asks_place = fields.Boolean(metadata={"description": "Whether checking in takes your position.", "example": False})


class OwnSession(ClassSession):
    checked_in_at = fields.String(allow_none=True, metadata=INSTANT)


class HeldSession(ClassSession):
    latitude = fields.Float(allow_none=True, metadata=LATITUDE)
    longitude = fields.Float(allow_none=True, metadata=LONGITUDE)
    radius_metres = fields.Integer(allow_none=True, metadata={"example": 300})
    checked_in = fields.Integer(metadata={"description": "How many were there.", "example": 28})


class TrainingClass(ma.Schema):
    project_id = _id()
    capacity = fields.Integer(allow_none=True, metadata=CAPACITY)
    admitted = fields.Integer(metadata={"example": 30})
    notice = fields.Nested(Notice, allow_none=True)
    sessions = fields.List(fields.Nested(HeldSession))


class TrainingStep(ma.Schema):
    position = fields.Integer(metadata={"example": 1})
    state = choice(TrainingState, metadata=STATE)
    reason = fields.String(metadata={"description": "The reviewer's opinion or reason.", "example": ""})
    at = fields.String(metadata=INSTANT)


class TrainingDetail(Training):
    steps = fields.List(fields.Nested(TrainingStep))
    notice = fields.Nested(Notice, allow_none=True)
    sessions = fields.List(fields.Nested(OwnSession))


class CheckIn(Schema):
    code = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{6}\Z"), metadata=CODE)
    latitude = _degrees(90, LATITUDE)
    longitude = _degrees(180, LONGITUDE)


class CheckedIn(ma.Schema):
    session_id = _id()
    checked_in = fields.Boolean(metadata={"example": True})
    refusal = fields.String(metadata={"description": "Why not, a code; five wrong codes lock.", "example": ""})


class CheckInCode(ma.Schema):
    session_id = _id()
    code = fields.String(metadata=CODE)
    changes_at = fields.String(metadata=INSTANT)


class ByHand(Schema):
    application_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=APPLICANTS_AT_ONCE))
    reason = Text(200, shortest=2, required=True, metadata={**REASON, "example": "没有带手机"})


class CheckedInByHand(ma.Schema):
    session_id = _id()
    registered = fields.Integer(metadata={"description": "How many were not checked in before.", "example": 1})


class NewResult(Schema):
    application_id = _required_id()
    passed = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"example": True})
    reason = Text(200, shortest=0, metadata={"description": "Why an earlier result is turned over.", "example": ""})


class NewResults(Schema):
    results = fields.List(
        fields.Nested(NewResult), required=True, validate=validate.Length(min=1, max=APPLICANTS_AT_ONCE)
    )


class ResultDone(ma.Schema):
    application_id = _id()
    outcome = fields.String(metadata={"description": "CHANGED, UNCHANGED or REFUSED.", "example": "CHANGED"})
    code = fields.String(metadata={"description": "Why a row was refused.", "example": ""})


class ResultsDone(ma.Schema):
    rows = fields.List(fields.Nested(ResultDone))
