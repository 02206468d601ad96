"""Shapes of the arguments and replies of special training."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.learning.contract.special_training import (
    APPLICANTS_AT_ONCE,
    SESSIONS_AT_ONCE,
    ReviewStage,
    TrainingBucket,
    TrainingState,
)
from services.learning.selection.schemas import PLACE
from services.shared.fields import Instant, Text
from services.shared.paging import Page

_DAY = validate.Range(dt.date(2000, 1, 1), dt.date(2200, 1, 1))
_INSTANT = validate.Range(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))
_REASON = validate.Length(2, 200)


class ProjectId(Schema):
    project_id = fields.UUID(required=True)


class ListSuitable(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class Apply(ProjectId):
    statement = fields.String(load_default="", validate=validate.Length(max=500))


class ApplicationId(Schema):
    application_id = fields.UUID(required=True)


class PassOn(ApplicationId):
    stage = fields.Enum(ReviewStage, required=True)
    reason = fields.String(load_default="", validate=validate.Length(max=200))


class Reject(ApplicationId):
    stage = fields.Enum(ReviewStage, required=True)
    reason = fields.String(required=True, validate=_REASON)


class ListOwn(Page):
    bucket = fields.Enum(TrainingBucket, load_default=None, allow_none=True)
    state = fields.Enum(TrainingState, load_default=None, allow_none=True)
    search = fields.String(load_default="", validate=validate.Length(max=80))
    held_from = fields.Date(load_default=None, allow_none=True, validate=_DAY)
    held_until = fields.Date(load_default=None, allow_none=True, validate=_DAY)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListAt(Page):
    place = fields.String(required=True, validate=PLACE)
    state = fields.Enum(TrainingState, load_default=None, allow_none=True)
    project_id = fields.UUID(load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListOfProject(Page):
    project_id = fields.UUID(required=True)
    state = fields.Enum(TrainingState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Notice(ProjectId):
    title = Text(120, required=True)
    text = fields.String(required=True, validate=validate.Length(1, 8000))


class NewSession(Schema):
    """`latitude`, `longitude`, `radius_metres`: all three, or none."""

    title = Text(120, required=True)
    lecturer = Text(60, shortest=0, load_default="")
    venue = Text(120, shortest=0, load_default="")
    starts_at = fields.AwareDateTime(required=True, validate=_INSTANT)
    ends_at = fields.AwareDateTime(required=True, validate=_INSTANT)
    latitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-180, 180))
    # A telephone knows where it is to some tens of metres.
    radius_metres = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(50, 10_000))

    @validates_schema
    def _whole_spot(self, data: dict[str, Any], **_: Any) -> None:
        given = [data[name] is not None for name in ("latitude", "longitude", "radius_metres")]
        if any(given) and not all(given):
            raise ValidationError("latitude, longitude and radius_metres go together", "radius_metres")


class AddSessions(ProjectId):
    sessions = fields.List(
        fields.Nested(NewSession), required=True, validate=validate.Length(min=1, max=SESSIONS_AT_ONCE)
    )


class SessionId(Schema):
    session_id = fields.UUID(required=True)


class CheckIn(SessionId):
    code = fields.String(required=True, validate=validate.Regexp(r"\A[0-9]{6}\Z"))
    latitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-180, 180))

    @validates_schema
    def _whole_position(self, data: dict[str, Any], **_: Any) -> None:
        if (data["latitude"] is None) is not (data["longitude"] is None):
            raise ValidationError("latitude and longitude go together", "longitude")


class CheckInByHand(SessionId):
    application_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=APPLICANTS_AT_ONCE))
    reason = fields.String(required=True, validate=_REASON)


class ResultRow(Schema):
    application_id = fields.UUID(required=True)
    passed = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = fields.String(load_default="", validate=validate.Length(max=200))


class GradeTrainings(Schema):
    results = fields.List(
        fields.Nested(ResultRow), required=True, validate=validate.Length(min=1, max=APPLICANTS_AT_ONCE)
    )


# --- replies ------------------------------------------------------------------------------------------------------------------


class ProjectShown(Schema):
    """A project as the catalogue told it; audiences and versions are its keeper's matter."""

    project_id = fields.String()
    title = fields.String()
    level = fields.String()
    project_type = fields.String()
    course_type = fields.String()
    funding = fields.String()
    hour_type = fields.String()
    unit = fields.String()
    amount = fields.String()
    subject = fields.String()
    institution_name = fields.String()
    venue = fields.String()
    starts_on = fields.String()
    ends_on = fields.String()
    applies_from = fields.String()
    applies_until = fields.String()
    capacity = fields.Integer(allow_none=True)
    conditions = fields.String()
    summary = fields.String()
    state = fields.String()


class Suitable(Schema):
    project = fields.Nested(ProjectShown)
    application_id = fields.UUID(allow_none=True)
    application_state = fields.String(allow_none=True)
    refusal = fields.String()


class Application(Schema):
    application_id = fields.UUID()
    version = fields.Integer()
    project_id = fields.UUID()
    teacher_id = fields.UUID()
    school_id = fields.UUID()
    state = fields.String()
    statement = fields.String()
    applied_at = Instant()
    changed_at = Instant()


class Training(Application):
    """An application with its project, and where 我的专项培训 shows it."""

    bucket = fields.String(allow_none=True)
    project = fields.Nested(ProjectShown)


class Step(Schema):
    position = fields.Integer()
    state = fields.String()
    reason = fields.String()
    at = Instant()


class SessionShown(Schema):
    session_id = fields.UUID()
    title = fields.String()
    lecturer = fields.String()
    venue = fields.String()
    starts_at = Instant()
    ends_at = Instant()
    asks_place = fields.Boolean()


class OwnSession(SessionShown):
    checked_in_at = Instant()


class NoticeShown(Schema):
    title = fields.String()
    text = fields.String()
    noticed_at = Instant()


class TrainingDetail(Training):
    steps = fields.List(fields.Nested(Step))
    notice = fields.Nested(NoticeShown, allow_none=True)
    sessions = fields.List(fields.Nested(OwnSession))


class HeldSession(SessionShown):
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    radius_metres = fields.Integer(allow_none=True)
    checked_in = fields.Integer()


class ClassShown(Schema):
    project_id = fields.UUID()
    capacity = fields.Integer(allow_none=True)
    admitted = fields.Integer()
    notice = fields.Nested(NoticeShown, allow_none=True)
    sessions = fields.List(fields.Nested(HeldSession))


class CheckInCode(Schema):
    session_id = fields.UUID()
    code = fields.String()
    changes_at = Instant()


class CheckedIn(Schema):
    session_id = fields.UUID()
    checked_in = fields.Boolean()
    refusal = fields.String()


class CheckedInByHand(Schema):
    session_id = fields.UUID()
    registered = fields.Integer()


class ResultDone(Schema):
    application_id = fields.UUID()
    outcome = fields.String()
    code = fields.String()


class ResultsDone(Schema):
    rows = fields.List(fields.Nested(ResultDone))
