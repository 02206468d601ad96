"""Bodies, queries and replies of selection: baskets, choices, statistics."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.learning.contract.grades import GRADED_AT_ONCE
from services.learning.contract.selection import BASKET_LINES, Bucket, ChoiceState

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
EXAMPLE_PLACE = "CN/440000/440100/440103"
_STATES = [str(state) for state in ChoiceState]
_BUCKETS = [str(bucket) for bucket in Bucket]
_BUCKET = "SELECTED 已选, STUDYING 学习中, PASSED 已通过, FAILED 未通过, OVER 已取消"


def _id() -> fields.UUID:
    return fields.UUID(metadata={"example": EXAMPLE_ID})


def _money(description: str) -> fields.String:
    return fields.String(metadata={"description": description, "example": "100.00"})


class NewChoice(Schema):
    offering_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


class Voiding(Schema):
    reason = Text(2000, required=True, metadata={"example": "课程停开"})


class BasketSubmission(Schema):
    """What the teacher sees in the basket: if it holds anything else by now, nothing is chosen."""

    offering_ids = fields.List(
        fields.UUID(metadata={"example": EXAMPLE_ID}), required=True, validate=validate.Length(min=1, max=BASKET_LINES)
    )


class NewGrade(Schema):
    choice_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    passed = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"example": True})
    score = fields.String(
        validate=validate.Regexp(r"\A(100(\.0)?|[0-9]{1,2}(\.[0-9])?)\Z"), metadata={"example": "92.5"}
    )
    reason = Text(2000, metadata={"description": "Needed where an earlier grade is turned over.", "example": "误登"})


class NewGrades(Schema):
    grades = fields.List(fields.Nested(NewGrade), required=True, validate=validate.Length(min=1, max=GRADED_AT_ONCE))


class SeatsQuery(Page):
    period_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


class OwnChoicesQuery(Page):
    bucket = fields.String(validate=validate.OneOf(_BUCKETS), metadata={"description": _BUCKET, "example": "STUDYING"})
    period_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    search = Text(80, metadata={"description": "Part of a title or course number.", "example": "信息技术"})


class ChoicesQuery(OwnChoicesQuery):
    place = Text(80, required=True, metadata={"example": EXAMPLE_PLACE})
    state = fields.String(validate=validate.OneOf(_STATES), metadata={"example": "ADMITTED"})
    offering_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})


class ChoiceStatisticsQuery(Page):
    place = Text(80, required=True, metadata={"example": EXAMPLE_PLACE})
    period_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


class ChoiceStatisticsBelowQuery(ChoiceStatisticsQuery):
    offering_id = fields.UUID(metadata={"description": "Only this course.", "example": EXAMPLE_ID})


# --- replies ------------------------------------------------------------------------------------------------------------


class OfferedCourse(ma.Schema):
    offering_id = _id()
    period_id = _id()
    course_no = fields.String(metadata={"example": "C0001"})
    title = fields.String(metadata={"example": "信息技术与教学"})
    hour_type = fields.String(metadata={"example": "PROFESSIONAL"})
    course_type = fields.String(metadata={"example": "REMOTE"})
    hours = fields.String(metadata={"example": "18.00"})
    fee = _money("Training fee, yuan.")
    material_fee = _money("Material fee, yuan.")
    public_course = fields.Boolean(metadata={"description": "公需课: its material fee is not part of the amount due."})
    charging_unit_id = _id()


class ChoiceMade(ma.Schema):
    choice_id = _id()
    teacher_id = _id()
    offering_id = _id()
    period_id = _id()
    state = fields.String(metadata={"description": ", ".join(_STATES), "example": "CHOSEN"})
    chosen_by = fields.String(metadata={"description": "SELF or ADMIN", "example": "SELF"})
    selects_until = fields.String(allow_none=True, metadata={"description": "Until when it can be cancelled."})


class SubmittedLine(ma.Schema):
    offering_id = _id()
    choice_id = fields.UUID(allow_none=True, metadata={"example": EXAMPLE_ID})
    refusal = fields.String(
        metadata={"description": 'Why not, "" when it was chosen.', "example": "learning.offering_full"}
    )


class SubmittedBasket(ma.Schema):
    lines = fields.List(fields.Nested(SubmittedLine))


class Cost(ma.Schema):
    """What is due to one charging unit, in yuan."""

    charging_unit_id = _id()
    courses = fields.Integer(metadata={"example": 2})
    hours = fields.String(metadata={"example": "28.00"})
    due = _money("Training and material fees, without the material of public courses.")
    apart = _money("Material of public courses, which is paid apart.")


class BasketLine(ma.Schema):
    offering = fields.Nested(OfferedCourse)
    state = fields.String(metadata={"description": 'State of the own choice, "" when there is none.', "example": ""})
    refusal = fields.String(metadata={"description": 'What would refuse it now, or "".', "example": ""})
    seats_left = fields.Integer(allow_none=True, metadata={"description": "null: as many as want.", "example": 12})
    closes_in_seconds = fields.Integer(metadata={"description": "The countdown.", "example": 86400})
    selects_until = fields.String(metadata={"example": "2023-03-10T16:00:00.000000Z"})


class Basket(ma.Schema):
    lines = fields.List(fields.Nested(BasketLine))
    basket_costs = fields.List(
        fields.Nested(Cost), metadata={"description": "Of the lines that nothing refuses, by charging unit."}
    )
    chosen_costs = fields.List(
        fields.Nested(Cost), metadata={"description": "Of what is chosen already in the same periods."}
    )


class Seats(ma.Schema):
    offering_id = _id()
    capacity = fields.Integer(allow_none=True, metadata={"example": 500})
    taken = fields.Integer(metadata={"example": 488})


class GradeDone(ma.Schema):
    choice_id = _id()
    outcome = fields.String(metadata={"description": "CHANGED, UNCHANGED or REFUSED", "example": "CHANGED"})
    code = fields.String(metadata={"description": 'Why it was refused, or "".', "example": ""})


class GradesDone(ma.Schema):
    rows = fields.List(fields.Nested(GradeDone))


class GradeStep(ma.Schema):
    passed = fields.Boolean()
    score = fields.String(allow_none=True, metadata={"example": "92.5"})
    reason = fields.String()
    at = fields.String()


class GradeHistory(ma.Schema):
    choice_id = _id()
    steps = fields.List(fields.Nested(GradeStep))


class SeatsList(PageReply):
    items = fields.List(fields.Nested(Seats))


class Choice(ma.Schema):
    choice_id = _id()
    teacher_id = _id()
    state = fields.String(metadata={"description": ", ".join(_STATES), "example": "ADMITTED"})
    chosen_by = fields.String(metadata={"example": "SELF"})
    chosen_at = fields.String()
    changed_at = fields.String()
    offering = fields.Nested(OfferedCourse)
    period_code = fields.String(metadata={"example": "2023-1"})
    period_title = fields.String(metadata={"example": "2023年上半年"})
    tier = fields.String(metadata={"example": "CITY"})
    year = fields.Integer(metadata={"example": 2023})
    selects_until = fields.String()
    due_on = fields.String(metadata={"example": "2023-03-31"})


class PlacedChoice(Choice):
    place = fields.String(metadata={"description": "Where the teacher is now.", "example": EXAMPLE_PLACE})
    school_id = fields.UUID(allow_none=True, metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "东风小学"})


class Choices(PageReply):
    items = fields.List(fields.Nested(Choice))


class PlacedChoices(PageReply):
    items = fields.List(fields.Nested(PlacedChoice))


class Numbers(ma.Schema):
    chosen = fields.Integer(metadata={"example": 120})
    cancelled = fields.Integer(metadata={"example": 8})
    void = fields.Integer(metadata={"example": 1})
    billed = fields.Integer(metadata={"example": 0})
    admitted = fields.Integer(metadata={"example": 0})
    unpaid = fields.Integer(metadata={"example": 0})
    passed = fields.Integer(metadata={"example": 0})
    failed = fields.Integer(metadata={"example": 0})
    pass_rate = fields.String(
        allow_none=True, metadata={"description": "Of those graded, in percent.", "example": "97.5"}
    )


class OfferingNumbers(Numbers):
    offering_id = _id()
    course_no = fields.String(metadata={"example": "C0001"})
    title = fields.String(metadata={"example": "信息技术与教学"})
    capacity = fields.Integer(allow_none=True, metadata={"example": 500})


class PlaceNumbers(Numbers):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})


class ChoiceStatistics(PageReply):
    items = fields.List(fields.Nested(OfferingNumbers))
    as_of = fields.String(metadata={"description": "Up to when every choice is in the figures."})


class ChoiceStatisticsBelow(PageReply):
    items = fields.List(fields.Nested(PlaceNumbers))
    as_of = fields.String()
