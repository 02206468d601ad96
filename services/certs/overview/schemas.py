"""Arguments and results of the overview."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.certs.contract import PublicState
from services.certs.rules import Kind
from services.certs.schemas import CertificateSummary
from services.shared.paging import Page

_place = validate.Regexp(r"\ACN(/[0-9a-z-]{1,40}){0,4}\Z")


class Wanted(Schema):
    """Which certificates, besides where."""

    kind = fields.Enum(Kind, by_value=True, load_default=None, allow_none=True)
    state = fields.Enum(PublicState, by_value=True, load_default=None, allow_none=True)
    programme_id = fields.UUID(load_default=None, allow_none=True)
    # Beijing days, both included.
    issued_from = fields.Date(load_default=None, allow_none=True)
    issued_to = fields.Date(load_default=None, allow_none=True)

    @validates_schema
    def days_in_order(self, data, **_):
        if data["issued_from"] and data["issued_to"] and data["issued_to"] < data["issued_from"]:
            raise ValidationError("the last day lies before the first", "issued_to")


class Position(Schema):
    """Where a page of the list begins."""

    place = fields.String(required=True, validate=_place)
    teacher_id = fields.UUID(required=True)
    certificate_id = fields.UUID(required=True)


class ListIssued(Wanted, Page):
    place = fields.String(required=True, validate=_place)
    cursor = fields.Nested(Position, load_default=None, allow_none=True)


class IssuedCertificate(CertificateSummary):
    teacher_id = fields.UUID()
    holder_name = fields.String()  # masked
    place = fields.String()


class OnePlace(Schema):
    place = fields.String(required=True, validate=_place)
    programme_id = fields.UUID(load_default=None, allow_none=True)


class Below(OnePlace, Page):
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=80))


class Figures(Schema):
    kind = fields.String()
    valid = fields.Integer()
    replaced = fields.Integer()
    revoked = fields.Integer()
    blocked = fields.Integer()


class PlaceFigures(Schema):
    place = fields.String()
    kinds = fields.List(fields.Nested(Figures))


class Reconcile(Schema):
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(1, 5000))
