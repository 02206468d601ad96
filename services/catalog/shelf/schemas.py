"""Arguments and results of the shelf."""

from __future__ import annotations

from decimal import Decimal

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.catalog.contract.courses import CourseType, HourType, Terminal
from services.catalog.contract.periods import Audience, Tier
from services.catalog.contract.shelf import MOST_STARS, Order, Reason
from services.catalog.courses.schemas import PLACE, Amount, CourseFacts
from services.identity.contract import SEGMENTS
from services.shared.fields import Instant
from services.shared.paging import Page

LONGEST_SEARCH = 60
_hours = validate.Range(Decimal(0), Decimal(1000))


class BrowseOfferings(Page):
    """`place`: whose courses; `period_id`: of one period, also one that is over; the filters of S3:731."""

    place = fields.String(required=True, validate=PLACE)
    period_id = fields.UUID(load_default=None, allow_none=True)
    order = fields.Enum(Order, load_default=Order.NEWEST)
    q = fields.String(load_default="", validate=validate.Length(max=LONGEST_SEARCH))
    tier = fields.Enum(Tier, load_default=None, allow_none=True)
    hour_type = fields.Enum(HourType, load_default=None, allow_none=True)
    course_type = fields.Enum(CourseType, load_default=None, allow_none=True)
    hours_from = fields.Decimal(load_default=None, allow_none=True, validate=_hours)
    hours_to = fields.Decimal(load_default=None, allow_none=True, validate=_hours)
    subject = fields.String(load_default="", validate=validate.Length(max=30))
    segment = fields.String(load_default="", validate=validate.OneOf(("", *SEGMENTS)))
    terminal = fields.Enum(Terminal, load_default=None, allow_none=True)
    series = fields.String(load_default="", validate=validate.Length(max=60))
    capability = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    cursor = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=2))

    @validates_schema
    def _span(self, data, **_):
        low, high = data["hours_from"], data["hours_to"]
        if low is not None and high is not None and low > high:
            raise ValidationError("less than hours_from", "hours_to")


class OfferingId(Schema):
    offering_id = fields.UUID(required=True)


class ListSeries(Schema):
    place = fields.String(required=True, validate=PLACE)


class RateOffering(OfferingId):
    stars = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_STARS))


class Gap(Schema):
    hour_type = fields.Enum(HourType, required=True)
    hours = fields.Decimal(required=True, validate=_hours)


class RecommendOfferings(Schema):
    """`gaps`: the hours that the teacher's year still lacks, as credits tells them; unknown without."""

    gaps = fields.List(fields.Nested(Gap), load_default=list, validate=validate.Length(max=len(HourType)))


class PeriodShown(Schema):
    period_id = fields.UUID()
    code = fields.String()
    title = fields.String()
    tier = fields.String()
    place = fields.String()
    state = fields.String()
    selects_from = Instant()
    selects_until = Instant()
    due_on = fields.Date()


class OfferingShown(CourseFacts):
    """An offering as teachers see it."""

    offering_id = fields.UUID()
    version = fields.Integer()
    course_id = fields.UUID()
    applicant_name = fields.String()
    charging_name = fields.String()
    capacity = fields.Integer(allow_none=True)
    audience = fields.Nested(Audience)
    state = fields.String()
    chosen = fields.Integer()
    ratings = fields.Integer()
    average_stars = fields.String(allow_none=True)
    period = fields.Nested(PeriodShown)


class OfferingDetail(OfferingShown):
    summary = fields.String()


class Series(Schema):
    """Micro-courses that are shown together; each is chosen by itself (S3:1073)."""

    series = fields.String()
    courses = fields.Integer()
    hours = Amount("0", "0")


class RatingShown(Schema):
    offering_id = fields.UUID()
    course_id = fields.UUID()
    stars = fields.Integer()
    ratings = fields.Integer()
    average_stars = fields.String(allow_none=True)


class RecommendationShown(Schema):
    offering = fields.Nested(OfferingShown)
    reasons = fields.List(fields.Enum(Reason, by_value=True))
