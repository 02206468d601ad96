"""Queries and answers of the shelf: what teachers browse, rate and are recommended."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.courses import (
    AMOUNT,
    COURSE_TYPE,
    HOUR_TYPE,
    HOURS,
    SERIES,
    VERSION,
    CourseFacts,
)
from gateway.schemas.org import EXAMPLE_ID, choice, place
from gateway.schemas.periods import CAPACITY, Audience, Period
from services.catalog.contract.courses import CourseType, HourType, Terminal
from services.catalog.contract.periods import OfferingState, Tier
from services.catalog.contract.shelf import MOST_STARS, Order, Reason
from services.identity.contract import SEGMENTS

STARS = {"description": "One to five.", "example": 5}
AVERAGE = {"description": "Of all stars, one decimal; null before the first.", "example": "4.5"}


class OfferingsQuery(Page):
    place = place(required=True)
    period_id = fields.UUID(metadata={"description": "Of one period, also one that is over.", "example": EXAMPLE_ID})
    order = choice(
        Order,
        metadata={
            "description": "最新上线 NEWEST, 热门 POPULAR, 同学科老师报读 PEERS (needs `subject`), 好评 RATED.",
            "example": "NEWEST",
        },
    )
    q = Text(60, metadata={"description": "Any part of the title, the lecturer or the number.", "example": "语文"})
    tier = choice(Tier, metadata={"example": "CITY"})
    hour_type = choice(HourType, metadata=HOUR_TYPE)
    course_type = choice(CourseType, metadata=COURSE_TYPE)
    hours_from = fields.String(validate=validate.Regexp(AMOUNT), metadata={**HOURS, "example": "6"})
    hours_to = fields.String(validate=validate.Regexp(AMOUNT), metadata={**HOURS, "example": "36"})
    subject = Text(30, metadata={"description": "For this subject, or for all.", "example": "语文"})
    segment = fields.String(
        validate=validate.OneOf(SEGMENTS), metadata={"description": "For this stage, or for all.", "example": "PRIMARY"}
    )
    terminal = choice(Terminal, metadata={"example": "MOBILE"})
    series = Text(60, metadata=SERIES)
    capability = fields.Boolean(metadata={"description": "Only courses of 能力提升工程, or none of them."})


class SeriesQuery(Schema):
    place = place(required=True)


class OfferingShown(CourseFacts):
    """An offering as teachers see it."""

    offering_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    version = fields.Integer(metadata=VERSION)
    applicant_name = fields.String(metadata={"example": "广州市广播电视大学"})
    charging_name = fields.String(metadata={"example": "广州市广播电视大学"})
    capacity = fields.Integer(allow_none=True, metadata=CAPACITY)
    audience = fields.Nested(Audience)
    state = choice(OfferingState, metadata={"example": "OPEN"})
    chosen = fields.Integer(metadata={"description": "How many have chosen it.", "example": 120})
    ratings = fields.Integer(metadata={"description": "How many have rated the course.", "example": 40})
    average_stars = fields.String(allow_none=True, metadata=AVERAGE)
    period = fields.Nested(Period(exclude=("version",)))


class OfferingDetail(OfferingShown):
    summary = fields.String(metadata={"description": "课程简介", "example": ""})


class OfferingPage(PageReply):
    items = fields.List(fields.Nested(OfferingShown), required=True)


class Series(ma.Schema):
    series = fields.String(metadata={"example": "信息技术微课程"})
    courses = fields.Integer(metadata={"example": 12})
    hours = fields.String(metadata=HOURS)


class SeriesList(ma.Schema):
    items = fields.List(fields.Nested(Series), required=True)


class NewRating(Schema):
    stars = Whole(required=True, validate=validate.Range(1, MOST_STARS), metadata=STARS)


class Rating(ma.Schema):
    offering_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    stars = fields.Integer(metadata=STARS)
    ratings = fields.Integer(metadata={"example": 40})
    average_stars = fields.String(allow_none=True, metadata=AVERAGE)


class OwnRating(ma.Schema):
    offering_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    stars = fields.Integer(allow_none=True, metadata=STARS)
    may_rate = fields.Boolean(metadata={"description": "Whether the caller has passed the course."})


class WhyRecommended(ma.Schema):
    code = choice(Reason, metadata={"example": "HOURS_MISSING"})
    text = fields.String(metadata={"description": "In the language asked for.", "example": "可补足本年度所缺学时"})


class Recommendation(ma.Schema):
    offering = fields.Nested(OfferingShown)
    reasons = fields.List(fields.Nested(WhyRecommended))


class Recommendations(ma.Schema):
    items = fields.List(fields.Nested(Recommendation), required=True)
    missing = fields.Dict(
        keys=choice(HourType),
        values=fields.String(),
        allow_none=True,
        metadata={
            "description": "Hours that the year still lacks; null where no rules apply.",
            "example": {"PUBLIC": "18.00"},
        },
    )
