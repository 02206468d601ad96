"""Bodies and queries of a school's teachers: lists, reviews, archive, counts, stays, the desk."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, Person, an_id, choice, place
from services.org import contract
from services.org.contract.staffing import MAX_AT_ONCE, Employment, RowResult

MOMENT = "2023-01-10T02:00:00.000000Z"


class TeachersQuery(Page):
    place = place(required=True)
    state = choice(
        contract.MembershipState,
        metadata={"description": "Whom the school has and who waits for its word, when left out."},
    )
    employment = choice(Employment, metadata={"description": "Only those on duty, when left out."})
    with_archived = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={"description": "The archived too, whatever their status."},
    )


class Staff(ma.Schema):
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "越秀区实验小学"})
    place = fields.String()
    state = choice(contract.MembershipState, metadata={"example": "VERIFIED"})
    employment = choice(Employment, metadata={"example": "ON_DUTY"})
    employment_at = fields.String(metadata={"example": MOMENT})
    version = fields.Integer()
    changed_at = fields.String(metadata={"example": MOMENT})
    person = fields.Nested(Person, allow_none=True, metadata={"description": "Masked; null when out of reach."})


class Teachers(PageReply):
    items = fields.List(fields.Nested(Staff))


class ReviewsQuery(Page):
    school_id = an_id(required=True)


class Review(Staff):
    days_waiting = fields.Integer(metadata={"description": "Whole days in Beijing.", "example": 3})


class Reviews(PageReply):
    items = fields.List(fields.Nested(Review))


def teacher_ids() -> fields.List:
    return fields.List(
        an_id(),
        required=True,
        validate=validate.Length(1, MAX_AT_ONCE),
        metadata={"description": f"1 to {MAX_AT_ONCE}; each is decided by itself."},
    )


class ManyTeachers(Schema):
    teacher_ids = teacher_ids()


class ManyAndReason(ManyTeachers):
    reason = Text(200, required=True, metadata={"example": "不是本校教师"})


def archive_type() -> fields.String:
    away = [str(status) for status in Employment if status is not Employment.ON_DUTY]
    return fields.String(
        required=True, validate=validate.OneOf(away), metadata={"description": "归档类型", "example": "RETIRED"}
    )


class Archival(Schema):
    status = archive_type()
    reason = Text(200, metadata={"example": "已办理退休手续"})


class Restoration(Schema):
    reason = Text(200, metadata={"example": "借调期满"})


class Archivals(ManyTeachers):
    status = archive_type()
    reason = Text(200, metadata={"example": "已办理退休手续"})


class Restorations(ManyTeachers):
    reason = Text(200, metadata={"example": "借调期满"})


class RowOutcome(ma.Schema):
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    outcome = choice(RowResult)
    code = fields.String(metadata={"description": "Of a refusal, else empty.", "example": "org.not_pending"})
    message = fields.String(metadata={"description": "In the language asked for."})


class RowOutcomes(ma.Schema):
    rows = fields.List(fields.Nested(RowOutcome))


class CountsQuery(Schema):
    place = place(required=True)


class CountsBelowQuery(Page):
    place = place(required=True)


class CountedPart(ma.Schema):
    state = choice(contract.MembershipState)
    employment = choice(Employment)
    teachers = fields.Integer(metadata={"example": 38})


class Counted(ma.Schema):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    name = fields.String(metadata={"example": "越秀区"})
    teachers = fields.Integer(metadata={"description": "On duty, verified or waiting.", "example": 4120})
    verified = fields.Integer(metadata={"example": 4003})
    waiting = fields.Integer(metadata={"example": 117})
    archived = fields.Integer(metadata={"description": "In none of the figures above.", "example": 212})
    by = fields.List(fields.Nested(CountedPart))
    as_of = fields.String(metadata={"example": MOMENT})


class CountedBelow(PageReply):
    items = fields.List(fields.Nested(Counted))


class Period(ma.Schema):
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "越秀区实验小学"})
    place = fields.String()
    opened_by = fields.String(metadata={"description": "What began it.", "example": "TRANSFER"})
    opened_at = fields.String(metadata={"example": MOMENT})
    verified_at = fields.String(allow_none=True)
    closed_by = fields.String(allow_none=True, metadata={"description": "What ended it; null for the present one."})
    closed_at = fields.String(allow_none=True)


class Periods(ma.Schema):
    items = fields.List(fields.Nested(Period))


class Desk(ma.Schema):
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    place = fields.String()
    reviews_waiting = fields.Integer(metadata={"example": 4})
    longest_waiting_days = fields.Integer(metadata={"example": 6})
    transfers_requested = fields.Integer(metadata={"description": "Of this school, waiting above.", "example": 1})
    transfers_leaving = fields.Integer(metadata={"description": "Asked for by other schools.", "example": 0})
    special_users = fields.Integer(
        allow_none=True,
        metadata={"description": "特殊用户 among the own teachers; null while billing does not answer.", "example": 0},
    )
    archived_arrivals = fields.List(
        fields.Nested(Staff),
        metadata={"description": "Came archived and are not set on duty yet: in no list until then."},
    )
    as_of = fields.String(metadata={"example": MOMENT})
