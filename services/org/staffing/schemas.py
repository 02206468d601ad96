"""Arguments and replies of org/staffing."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.org.contract import MembershipState
from services.org.contract.staffing import MAX_AT_ONCE, Employment, RowResult
from services.org.schemas import Place, TeacherId
from services.shared import clock
from services.shared.fields import Instant, Text
from services.shared.paging import Page


class PlaceCursor(fields.String):
    """Where a list in the order of the tree goes on: a place and the teacher there."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        place, _, teacher = str(super()._deserialize(value, attr, data, **options)).rpartition(" ")
        try:
            return place, uuid.UUID(teacher)
        except ValueError:
            raise ValidationError("Not a valid cursor.") from None


class TimeCursor(fields.String):
    """Where a list in the order of time goes on: an instant and the teacher."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        instant, _, teacher = str(super()._deserialize(value, attr, data, **options)).rpartition(" ")
        try:
            return clock.parse_instant(instant), uuid.UUID(teacher)
        except ValueError:
            raise ValidationError("Not a valid cursor.") from None


def place_cursor(place: str, teacher_id: uuid.UUID | str) -> str:
    return f"{place} {teacher_id}"


def time_cursor(instant: dt.datetime, teacher_id: uuid.UUID) -> str:
    return f"{clock.format_instant(instant)} {teacher_id}"


class ListTeachers(Page):
    place = Place(required=True)
    state = fields.Enum(MembershipState, load_default=None, allow_none=True)
    employment = fields.Enum(Employment, load_default=None, allow_none=True)
    with_archived = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    cursor = PlaceCursor(load_default=None, allow_none=True)


class ListReviews(Page):
    school_id = fields.UUID(required=True)
    cursor = TimeCursor(load_default=None, allow_none=True)


class Staff(Schema):
    teacher_id = fields.UUID()
    school_id = fields.UUID()
    school_name = fields.String()
    place = fields.String()
    state = fields.String()
    employment = fields.String()
    employment_at = Instant()
    version = fields.Integer()
    changed_at = Instant()


def show_staff(staff: Any) -> dict[str, Any]:
    """A row of `list_staff` as `Staff` dumps it, written out: a list is asked for all day, and the schema would take longer than the rows."""
    return {
        "teacher_id": staff.teacher_id,
        "school_id": staff.school_id,
        "school_name": staff.school_name,
        "place": staff.place,
        "state": staff.state,
        "employment": staff.employment,
        "employment_at": clock.format_instant(staff.employment_at),
        "version": staff.version,
        "changed_at": clock.format_instant(staff.changed_at),
    }


class Review(Staff):
    days_waiting = fields.Integer()


class Archive(TeacherId):
    status = fields.Enum(Employment, required=True)
    reason = Text(200, load_default="")


class Restore(TeacherId):
    reason = Text(200, load_default="")


class ManyTeachers(Schema):
    teacher_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MAX_AT_ONCE))


class ManyAndReason(ManyTeachers):
    reason = Text(200, required=True)


class ArchiveMany(ManyTeachers):
    status = fields.Enum(Employment, required=True)
    reason = Text(200, load_default="")


class RestoreMany(ManyTeachers):
    reason = Text(200, load_default="")


class RowOutcome(Schema):
    teacher_id = fields.UUID()
    outcome = fields.Enum(RowResult)
    code = fields.String()


class RowOutcomes(Schema):
    rows = fields.List(fields.Nested(RowOutcome))


class OnePlace(Schema):
    place = Place(required=True)


class ListCounts(Page):
    place = Place(required=True)
    cursor = Place(load_default=None, allow_none=True)


class CountedPart(Schema):
    state = fields.String()
    employment = fields.String()
    teachers = fields.Integer()


class Counted(Schema):
    place = fields.String()
    name = fields.String()
    teachers = fields.Integer()
    verified = fields.Integer()
    waiting = fields.Integer()
    archived = fields.Integer()
    by = fields.List(fields.Nested(CountedPart))
    as_of = Instant()


class Reconcile(Schema):
    after = fields.String(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=500, validate=validate.Range(1, 5000))


class Period(Schema):
    teacher_id = fields.UUID()
    school_id = fields.UUID()
    school_name = fields.String()
    place = fields.String()
    opened_by = fields.String()
    opened_at = Instant()
    verified_at = Instant(allow_none=True)
    closed_by = fields.String(allow_none=True)
    closed_at = Instant(allow_none=True)


class PlacementAt(TeacherId):
    at = fields.AwareDateTime(required=True)


class Desk(Schema):
    school_id = fields.UUID()
    place = fields.String()
    reviews_waiting = fields.Integer()
    longest_waiting_days = fields.Integer()
    transfers_requested = fields.Integer()
    transfers_leaving = fields.Integer()
    archived_arrivals = fields.List(fields.Nested(Staff))
    as_of = Instant()
