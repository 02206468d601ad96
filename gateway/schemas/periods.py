"""Bodies and queries of periods and offerings."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.courses import PLACE, REASON, SEGMENTS_SHOWN, SUBJECTS, VERSION, CourseFacts
from gateway.schemas.org import EXAMPLE_ID, choice, place
from services.catalog.contract.courses import COURSES_AT_ONCE
from services.catalog.contract.periods import OfferingState, PeriodState, Tier
from services.identity.contract import SEGMENTS

CODE = {"description": "期数, unique at its place.", "example": "2026-1"}
FROM = {
    "description": "Selection begins, midnight in Beijing; RFC 3339 with offset.",
    "example": "2026-03-01T00:00:00+08:00",
}
UNTIL = {
    "description": "The first instant that no longer counts, midnight in Beijing.",
    "example": "2026-03-16T00:00:00+08:00",
}
DUE = {"description": "The last day to pay.", "example": "2026-03-31"}
STATE = {
    "description": "计划 PLANNED, 已公布 PUBLISHED, 选课中 SELECTING, 选课结束 CLOSED, 已出账 BILLED, 教学中 TEACHING, "
    "成绩已录 GRADED, 已归档 ARCHIVED.",
    "example": "SELECTING",
}
CAPACITY = {"description": "名额; null: unlimited.", "example": 500}


class PeriodContent(Schema):
    code = Text(15, required=True, metadata=CODE)
    title = Text(100, required=True, metadata={"example": "2026年第一期"})
    year = Whole(required=True, metadata={"example": 2026})
    selects_from = Text(40, required=True, metadata=FROM)
    selects_until = Text(40, required=True, metadata=UNTIL)
    due_on = Text(10, required=True, metadata=DUE)


class NewPeriod(PeriodContent):
    place = place(required=True)


class PeriodRevision(PeriodContent):
    version = Whole(required=True, metadata=VERSION)
    reason = Text(200, shortest=0, metadata=REASON)


class PeriodStep(Schema):
    version = Whole(required=True, metadata=VERSION)


class PeriodsQuery(Page):
    place = place(required=True)
    state = choice(PeriodState, metadata=STATE)


class Period(ma.Schema):
    period_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    version = fields.Integer(metadata=VERSION)
    code = fields.String(metadata=CODE)
    title = fields.String(metadata={"example": "2026年第一期"})
    tier = choice(Tier, metadata={"description": "市级 CITY, 区级 DISTRICT.", "example": "CITY"})
    place = fields.String(metadata=PLACE)
    year = fields.Integer(metadata={"example": 2026})
    state = choice(PeriodState, metadata=STATE)
    selects_from = fields.String(metadata=FROM)
    selects_until = fields.String(metadata=UNTIL)
    due_on = fields.String(metadata=DUE)


class Periods(PageReply):
    items = fields.List(fields.Nested(Period), required=True)


class Audience(Schema):
    """Whom an offering is for: a teacher must fit each list that is not empty."""

    segments = fields.List(
        fields.String(validate=validate.OneOf(SEGMENTS)), validate=validate.Length(max=6), metadata=SEGMENTS_SHOWN
    )
    subjects = fields.List(Text(30), validate=validate.Length(max=50), metadata=SUBJECTS)
    place_ids = fields.List(
        place(),
        validate=validate.Length(max=200),
        metadata={"description": "Regions.", "example": ["CN/440000/440100/440104"]},
    )
    school_ids = fields.List(fields.UUID(), validate=validate.Length(max=1000), metadata={"example": []})


class NewOffering(Schema):
    course_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    capacity = Whole(allow_none=True, metadata=CAPACITY)
    audience = fields.Nested(Audience)


class NewOfferings(Schema):
    offerings = fields.List(
        fields.Nested(NewOffering),
        required=True,
        validate=validate.Length(1, COURSES_AT_ONCE),
        metadata={"description": "All are added, or none."},
    )


class OfferingChange(Schema):
    version = Whole(required=True, metadata=VERSION)
    capacity = Whole(required=True, allow_none=True, metadata=CAPACITY)
    audience = fields.Nested(Audience, required=True)


class OfferingsQuery(Page):
    state = choice(OfferingState, metadata={"example": "OPEN"})


class KeptOffering(CourseFacts):
    """An offering as whoever keeps the period sees it."""

    offering_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    version = fields.Integer(metadata=VERSION)
    period_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    tier = choice(Tier, metadata={"example": "CITY"})
    place = fields.String(metadata=PLACE)
    course_version = fields.Integer(metadata={"description": "Which state of the course is offered.", "example": 1})
    capacity = fields.Integer(allow_none=True, metadata=CAPACITY)
    audience = fields.Nested(Audience)
    state = choice(OfferingState, metadata={"example": "OPEN"})


class KeptOfferings(ma.Schema):
    items = fields.List(fields.Nested(KeptOffering), required=True)


class KeptOfferingPage(PageReply):
    items = fields.List(fields.Nested(KeptOffering), required=True)
