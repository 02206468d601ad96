"""Arguments and results of training projects."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.catalog.contract.periods import Audience as ToldAudience
from services.catalog.contract.projects import (
    PROJECT_FORMS,
    PROJECT_HOUR_TYPES,
    ProjectLevel,
    ProjectState,
    Unit,
)
from services.catalog.courses.schemas import PLACE, REASON, VERSION, Amount, Line
from services.catalog.periods.schemas import DAY, INSTANT, MOST_SEATS, Audience
from services.shared.fields import Instant
from services.shared.paging import Page


class ProjectContent(Schema):
    title = Line(120, required=True)
    level = fields.Enum(ProjectLevel, required=True)
    project_type = Line(120, shortest=0, load_default="")
    course_type = fields.String(required=True, validate=validate.OneOf(sorted(PROJECT_FORMS)))
    funding = Line(60, shortest=0, load_default="")
    hour_type = fields.String(required=True, validate=validate.OneOf(sorted(PROJECT_HOUR_TYPES)))
    unit = fields.Enum(Unit, load_default=Unit.HOUR)
    amount = Amount("0.01", "1000", required=True)
    subject = Line(60, shortest=0, load_default="")
    institution_unit_id = fields.UUID(required=True)
    venue = Line(120, shortest=0, load_default="")
    starts_on = fields.Date(required=True, validate=DAY)
    ends_on = fields.Date(required=True, validate=DAY)
    applies_from = fields.AwareDateTime(required=True, validate=INSTANT)
    applies_until = fields.AwareDateTime(required=True, validate=INSTANT)
    capacity = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MOST_SEATS))
    audience = fields.Nested(Audience, load_default=lambda: Audience().load({}))
    conditions = fields.String(load_default="", validate=validate.Length(max=4000))
    summary = fields.String(load_default="", validate=validate.Length(max=4000))


class CreateProject(ProjectContent):
    place = fields.String(required=True, validate=PLACE)


class ProjectId(Schema):
    project_id = fields.UUID(required=True)


class ChangeProject(ProjectContent):
    project_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class PublishProject(ProjectId):
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class WithdrawProject(PublishProject):
    reason = fields.String(required=True, validate=REASON)


class ListProjects(Page):
    place = fields.String(required=True, validate=PLACE)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListKeptProjects(ListProjects):
    state = fields.Enum(ProjectState, load_default=None, allow_none=True)


class Project(Schema):
    project_id = fields.UUID()
    version = fields.Integer()
    place = fields.String()
    shown_at = fields.String()
    title = fields.String()
    level = fields.String()
    project_type = fields.String()
    course_type = fields.String()
    funding = fields.String()
    hour_type = fields.String()
    unit = fields.String()
    amount = Amount("0", "0")
    subject = fields.String()
    institution_unit_id = fields.UUID()
    institution_name = fields.String()
    venue = fields.String()
    starts_on = fields.Date()
    ends_on = fields.Date()
    applies_from = Instant()
    applies_until = Instant()
    capacity = fields.Integer(allow_none=True)
    audience = fields.Nested(ToldAudience)
    conditions = fields.String()
    summary = fields.String()
    state = fields.String()
    changed_at = Instant()
