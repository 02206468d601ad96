"""Shapes of the arguments and answers of hand-overs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.credits.contract.handovers import HandoverState
from services.shared.fields import Instant
from services.shared.paging import Page


class ListHandovers(Page):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    state = fields.Enum(HandoverState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class SettleHandovers(Schema):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    # The teacher that the batch before ended with.
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=200, strict=True, validate=validate.Range(min=1, max=500))


class Settled(Schema):
    entered = fields.Integer()
    held = fields.Integer()
    next = fields.UUID(allow_none=True)


class HandoverShown(Schema):
    certificate_id = fields.UUID()
    teacher_id = fields.UUID()
    programme_id = fields.UUID()
    number = fields.String()
    year = fields.Integer()
    hours = fields.Decimal(as_string=True, places=2)
    state = fields.String()
    reason = fields.String()
    recorded_at = Instant()
    changed_at = Instant()
