"""Arguments and results of courses."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.catalog.contract.courses import CapabilityClass, CourseState, CourseType, HourType, Terminal
from services.identity.contract import SEGMENTS
from services.shared.fields import Instant, is_plain_line
from services.shared.paging import Page

PLACE = validate.Regexp(r"\ACN(/[A-Za-z0-9-]{1,40}){0,4}\Z")
REASON = validate.Length(2, 200)
VERSION = validate.Range(min=1)


def _plain(text: str) -> None:
    if not text.strip() or not is_plain_line(text):
        raise ValidationError("one line of text")


class Line(fields.String):
    """One line that reads as it is written, without blanks around it."""

    def __init__(self, longest: int, *, shortest: int = 1, **options: Any) -> None:
        rules: list[Any] = [validate.Length(shortest, longest), *([_plain] if shortest else [])]
        super().__init__(validate=rules, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        return str(super()._deserialize(value, attr, data, **options)).strip()


class Amount(fields.Decimal):
    """A decimal of at most two places, as a string; 7.123 is refused, not rounded."""

    def __init__(self, lowest: str, highest: str, **options: Any) -> None:
        span = validate.Range(Decimal(lowest), Decimal(highest))
        super().__init__(as_string=True, places=None, validate=[span, _at_most_cents], **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else f"{value:.2f}"


def _at_most_cents(value: Decimal) -> None:
    with decimal.localcontext() as context:
        context.traps[decimal.InvalidOperation] = False
        if not value.is_finite() or value != value.quantize(Decimal("0.01")):
            raise ValidationError("at most two decimal places")


def words(longest: int, *, most: int, among: Any = None) -> fields.List:
    each = fields.String(validate=validate.OneOf(list(among))) if among else Line(longest)
    return fields.List(each, load_default=list, validate=[validate.Length(max=most), _no_repeats])


def _no_repeats(items: list[Any]) -> None:
    if len(set(items)) < len(items):
        raise ValidationError("the same entry stands twice")


class CourseContent(Schema):
    """What a course is. Subjects and segments say whom it is meant for (培训对象); empty means everybody."""

    course_no = fields.String(required=True, validate=validate.Regexp(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,29}\Z"))
    title = Line(120, required=True)
    lecturer = Line(60, shortest=0, load_default="")
    hour_type = fields.Enum(HourType, required=True)
    course_type = fields.Enum(CourseType, required=True)
    # Guangzhou counts half hours, Guangxi hundredths of a credit (`domain.md` §7.6).
    hours = Amount("0.01", "1000", required=True)
    fee = Amount("0", "100000", load_default=Decimal(0))
    material_fee = Amount("0", "100000", load_default=Decimal(0))
    capability_class = fields.Enum(CapabilityClass, load_default=None, allow_none=True)
    subjects = words(30, most=30)
    segments = words(20, most=6, among=SEGMENTS)
    terminals = words(20, most=2, among=[str(each) for each in Terminal])
    applicant_unit_id = fields.UUID(required=True)
    charging_unit_id = fields.UUID(required=True)
    series = Line(60, shortest=0, load_default="")
    summary = fields.String(load_default="", validate=validate.Length(max=4000))


class CreateCourse(CourseContent):
    place = fields.String(required=True, validate=PLACE)


class ChangeCourse(CourseContent):
    course_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class WithdrawCourse(Schema):
    course_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)
    reason = fields.String(required=True, validate=REASON)


class CourseId(Schema):
    course_id = fields.UUID(required=True)


class ListCourses(Page):
    place = fields.String(required=True, validate=PLACE)
    state = fields.Enum(CourseState, load_default=None, allow_none=True)
    course_no = fields.String(load_default="", validate=validate.Length(max=30))
    cursor = fields.UUID(load_default=None, allow_none=True)


class CourseFacts(Schema):
    """What a course is, wherever it is shown: by itself, offered in a period, on the shelf."""

    course_no = fields.String()
    title = fields.String()
    lecturer = fields.String()
    hour_type = fields.String()
    course_type = fields.String()
    hours = Amount("0", "0")
    fee = Amount("0", "0")
    material_fee = Amount("0", "0")
    capability_class = fields.String(allow_none=True)
    subjects = fields.List(fields.String())
    segments = fields.List(fields.String())
    terminals = fields.List(fields.String())
    series = fields.String()
    applicant_unit_id = fields.UUID()
    charging_unit_id = fields.UUID()


class Course(CourseFacts):
    course_id = fields.UUID()
    version = fields.Integer()
    place = fields.String()
    state = fields.String()
    applicant_name = fields.String()
    charging_name = fields.String()
    summary = fields.String()
    changed_at = Instant()


class PastCourse(Schema):
    """One state that a course has had."""

    version = fields.Integer()
    content = fields.Dict()
    published_by = fields.String()
    published_at = Instant()
