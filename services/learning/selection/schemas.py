"""Shapes of the arguments and replies of selection."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from services.learning.contract.selection import BASKET_LINES, Bucket, ChoiceState
from services.shared.fields import Instant
from services.shared.paging import Page

_text = validate.Length(min=1, max=2000)
_search = validate.Length(max=80)
PLACE = validate.Length(min=2, max=80)


class OneOffering(Schema):
    offering_id = fields.UUID(required=True)


class ForTeacher(OneOffering):
    teacher_id = fields.UUID(required=True)


class OneChoice(Schema):
    choice_id = fields.UUID(required=True)


class Void(OneChoice):
    reason = fields.String(required=True, validate=_text)


class Submit(Schema):
    # What the teacher saw when pressing the button.
    offering_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=BASKET_LINES))


class ListSeats(Page):
    period_id = fields.UUID(required=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class _Narrowed(Page):
    bucket = fields.Enum(Bucket, load_default=None, allow_none=True)
    period_id = fields.UUID(load_default=None, allow_none=True)
    search = fields.String(load_default="", validate=_search)


class ListOwn(_Narrowed):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListChoices(_Narrowed):
    place = fields.String(required=True, validate=PLACE)
    state = fields.Enum(ChoiceState, load_default=None, allow_none=True)
    offering_id = fields.UUID(load_default=None, allow_none=True)
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    # (place, teacher, offering) of the last row, as the page before told it.
    cursor = fields.Raw(load_default=None, allow_none=True)

    @pre_load
    def read_cursor(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if (cursor := data.get("cursor")) is None:
            return data
        try:
            place, teacher_id, offering_id = cursor.split(" ")
            return {
                **data,
                "cursor": (place, fields.UUID().deserialize(teacher_id), fields.UUID().deserialize(offering_id)),
            }
        except (AttributeError, ValueError) as error:
            raise ValidationError("not a cursor of this list", "cursor") from error


class ListStatistics(Page):
    place = fields.String(required=True, validate=PLACE)
    period_id = fields.UUID(required=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class StatisticsBelow(Page):
    place = fields.String(required=True, validate=PLACE)
    period_id = fields.UUID(required=True)
    offering_id = fields.UUID(load_default=None, allow_none=True)
    cursor = fields.String(load_default=None, allow_none=True, validate=PLACE)


class Nothing(Schema):
    pass


# --- replies ------------------------------------------------------------------------------------------------------------


class ChoiceMade(Schema):
    choice_id = fields.UUID()
    teacher_id = fields.UUID()
    offering_id = fields.UUID()
    period_id = fields.UUID()
    state = fields.String()
    chosen_by = fields.String()
    selects_until = Instant(allow_none=True)


class LineDone(Schema):
    offering_id = fields.UUID()
    choice_id = fields.UUID(allow_none=True)
    refusal = fields.String()


class Submitted(Schema):
    lines = fields.List(fields.Nested(LineDone))


class Cost(Schema):
    charging_unit_id = fields.UUID()
    courses = fields.Integer()
    hours = fields.Decimal(places=2, as_string=True)
    due = fields.Decimal(places=2, as_string=True)
    apart = fields.Decimal(places=2, as_string=True)


class OfferingShown(Schema):
    offering_id = fields.UUID()
    period_id = fields.UUID()
    course_no = fields.String()
    title = fields.String()
    hour_type = fields.String()
    course_type = fields.String()
    hours = fields.Decimal(places=2, as_string=True)
    fee = fields.Decimal(places=2, as_string=True)
    material_fee = fields.Decimal(places=2, as_string=True)
    public_course = fields.Boolean()
    charging_unit_id = fields.UUID()


class BasketLineShown(Schema):
    offering = fields.Nested(OfferingShown)
    state = fields.String()
    refusal = fields.String()
    seats_left = fields.Integer(allow_none=True)
    closes_in_seconds = fields.Integer()
    selects_until = Instant(attribute="offering.selects_until")


class Basket(Schema):
    lines = fields.List(fields.Nested(BasketLineShown))
    basket_costs = fields.List(fields.Nested(Cost))
    chosen_costs = fields.List(fields.Nested(Cost))


class SeatsShown(Schema):
    offering_id = fields.UUID()
    capacity = fields.Integer(allow_none=True)
    taken = fields.Integer()


class ChoiceShown(Schema):
    """One choice in a list, with its course and period."""

    choice_id = fields.UUID(attribute="Choice.choice_id")
    teacher_id = fields.UUID(attribute="Choice.teacher_id")
    state = fields.String(attribute="Choice.state")
    chosen_by = fields.String(attribute="Choice.chosen_by")
    chosen_at = Instant(attribute="Choice.chosen_at")
    changed_at = Instant(attribute="Choice.changed_at")
    offering = fields.Nested(OfferingShown, attribute="Offering")
    period_code = fields.String(attribute="Period.code")
    period_title = fields.String(attribute="Period.title")
    tier = fields.String(attribute="Period.tier")
    year = fields.Integer(attribute="Period.year")
    selects_until = Instant(attribute="Period.selects_until")
    due_on = fields.Date(attribute="Period.due_on")


class PlacedChoiceShown(ChoiceShown):
    place = fields.String(attribute="Placement.place")
    school_id = fields.UUID(attribute="Placement.school_id", allow_none=True)
    school_name = fields.String(attribute="Placement.school_name")


class Numbers(Schema):
    """How many choices stand where. `pass_rate`: of those graded, in percent; null before any is."""

    chosen = fields.Integer()
    cancelled = fields.Integer()
    void = fields.Integer()
    billed = fields.Integer()
    admitted = fields.Integer()
    unpaid = fields.Integer()
    passed = fields.Integer()
    failed = fields.Integer()
    pass_rate = fields.String(allow_none=True)


class OfferingNumbers(Numbers):
    offering_id = fields.UUID()
    course_no = fields.String()
    title = fields.String()
    capacity = fields.Integer(allow_none=True)


class PlaceNumbers(Numbers):
    place = fields.String()
