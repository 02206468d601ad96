"""Arguments and results of periods and offerings."""

from __future__ import annotations

import datetime as dt

from marshmallow import Schema, fields, validate

from services.catalog.contract.courses import COURSES_AT_ONCE
from services.catalog.contract.periods import Audience as ToldAudience
from services.catalog.contract.periods import OfferingState, PeriodState
from services.catalog.courses.schemas import PLACE, REASON, VERSION, CourseFacts, Line, words
from services.identity.contract import SEGMENTS
from services.shared.fields import Instant
from services.shared.paging import Page

INSTANT = validate.Range(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))
DAY = validate.Range(dt.date(2000, 1, 1), dt.date(2200, 1, 1))
MOST_SEATS = 1_000_000


class PeriodContent(Schema):
    code = fields.String(required=True, validate=validate.Regexp(r"\A[0-9]{4}-[A-Za-z0-9]{1,10}\Z"))
    title = Line(100, required=True)
    year = fields.Integer(required=True, strict=True, validate=validate.Range(2000, 2200))
    selects_from = fields.AwareDateTime(required=True, validate=INSTANT)
    selects_until = fields.AwareDateTime(required=True, validate=INSTANT)
    due_on = fields.Date(required=True, validate=DAY)


class PlanPeriod(PeriodContent):
    place = fields.String(required=True, validate=PLACE)


class PeriodId(Schema):
    period_id = fields.UUID(required=True)


class RevisePeriod(PeriodContent):
    period_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)
    reason = fields.String(load_default="", validate=validate.Length(max=200))


class AdvancePeriod(PeriodId):
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class ListPeriods(Page):
    """`place`: of the caller's interest; its own periods, those of what it lies in, and no others."""

    place = fields.String(required=True, validate=PLACE)
    state = fields.Enum(PeriodState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Audience(Schema):
    segments = words(20, most=6, among=SEGMENTS)
    subjects = words(30, most=50)
    place_ids = fields.List(fields.String(validate=PLACE), load_default=list, validate=validate.Length(max=200))
    school_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=1000))


_CAPACITY = validate.Range(1, MOST_SEATS)


class NewOffering(Schema):
    course_id = fields.UUID(required=True)
    capacity = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_CAPACITY)
    audience = fields.Nested(Audience, load_default=lambda: Audience().load({}))


class AddOfferings(PeriodId):
    offerings = fields.List(
        fields.Nested(NewOffering), required=True, validate=validate.Length(min=1, max=COURSES_AT_ONCE)
    )


class OfferingId(Schema):
    offering_id = fields.UUID(required=True)


class ChangeOffering(OfferingId):
    version = fields.Integer(required=True, strict=True, validate=VERSION)
    capacity = fields.Integer(required=True, allow_none=True, strict=True, validate=_CAPACITY)
    audience = fields.Nested(Audience, required=True)


class WithdrawOffering(OfferingId):
    version = fields.Integer(required=True, strict=True, validate=VERSION)
    reason = fields.String(required=True, validate=REASON)


class Period(Schema):
    period_id = fields.UUID()
    version = fields.Integer()
    code = fields.String()
    title = fields.String()
    tier = fields.String()
    place = fields.String()
    year = fields.Integer()
    state = fields.String()
    selects_from = Instant()
    selects_until = Instant()
    due_on = fields.Date()


class Offering(CourseFacts):
    """An offering as its keeper sees it."""

    offering_id = fields.UUID()
    version = fields.Integer()
    period_id = fields.UUID()
    tier = fields.String()
    place = fields.String()
    course_id = fields.UUID()
    course_version = fields.Integer()
    capacity = fields.Integer(allow_none=True)
    audience = fields.Nested(ToldAudience)
    state = fields.String()


class ListKeptOfferings(Page):
    period_id = fields.UUID(required=True)
    state = fields.Enum(OfferingState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class PastOffering(Schema):
    """One announced state of an offering."""

    version = fields.Integer()
    content = fields.Dict()
    published_by = fields.String()
    published_at = Instant()


class Offerings(Schema):
    items = fields.List(fields.Nested(Offering))
