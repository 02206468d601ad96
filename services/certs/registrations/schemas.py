"""Arguments of registrations."""

from __future__ import annotations

from decimal import Decimal

from marshmallow import Schema, ValidationError, fields, validate

from services.shared.fields import Instant, is_plain_line
from services.shared.paging import Page

HALF_AN_HOUR, MOST_HOURS = Decimal("0.5"), Decimal(2000)  # ours: a year of work is less


def _plain(text: str) -> None:
    if not is_plain_line(text) or text != text.strip():
        raise ValidationError("Not one plain line of text.")


def _two_places(hours: Decimal) -> None:
    if hours != hours.quantize(Decimal("0.01")):
        raise ValidationError("At most two decimal places.")


def _line(longest: int, shortest: int = 1) -> fields.String:
    return fields.String(required=True, validate=[validate.Length(shortest, longest), _plain])


class RegisterCompletion(Schema):
    teacher_id = fields.UUID(required=True)
    institution = _line(60, 4)
    issued_number = _line(40, 3)  # as the institution numbers its certificates
    title_zh = _line(100, 2)
    title_en = fields.String(load_default="", validate=[validate.Length(max=200), _plain])
    started_on = fields.Date(required=True)
    ended_on = fields.Date(required=True)
    issued_on = fields.Date(required=True)
    hours = fields.Decimal(
        required=True, allow_nan=False, validate=[_two_places, validate.Range(HALF_AN_HOUR, MOST_HOURS)]
    )


class ListRegistrations(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class RegisteredCertificate(Schema):
    certificate_id = fields.UUID()
    number = fields.String()
    edition = fields.Integer()
    state = fields.String()
    holder_name = fields.String()  # masked
    school_name = fields.String()
    institution = fields.String()
    issued_number = fields.String()
    title_zh = fields.String()
    title_en = fields.String()
    started_on = fields.String()
    ended_on = fields.String()
    hours = fields.Decimal(places=2, as_string=True)
    registered_at = Instant()
    verification_url = fields.String()
