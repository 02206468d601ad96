"""Arguments and results of degree and skills offers."""

from __future__ import annotations

from decimal import Decimal

from marshmallow import Schema, fields, validate

from services.catalog.contract.further_study import ApplicationState, OfferKind
from services.catalog.courses.schemas import PLACE, REASON, VERSION, Amount, Line
from services.catalog.periods.schemas import INSTANT
from services.shared.fields import Instant
from services.shared.paging import Page


class OfferContent(Schema):
    kind = fields.Enum(OfferKind, required=True)
    title = Line(120, required=True)
    institution = Line(100, required=True)
    level = Line(30, shortest=0, load_default="")
    fee = Amount("0", "1000000", load_default=Decimal(0))
    duration = Line(30, shortest=0, load_default="")
    summary = fields.String(load_default="", validate=validate.Length(max=4000))
    applies_from = fields.AwareDateTime(required=True, validate=INSTANT)
    applies_until = fields.AwareDateTime(required=True, validate=INSTANT)


class CreateOffer(OfferContent):
    place = fields.String(required=True, validate=PLACE)


class ChangeOffer(OfferContent):
    offer_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class OfferId(Schema):
    offer_id = fields.UUID(required=True)


class WithdrawOffer(OfferId):
    version = fields.Integer(required=True, strict=True, validate=VERSION)
    reason = fields.String(required=True, validate=REASON)


class ListOffers(Page):
    """`place`: offers of all that it lies in; `kept`: the keeper's own, below it as well, withdrawn and past ones too."""

    place = fields.String(required=True, validate=PLACE)
    kind = fields.Enum(OfferKind, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Apply(OfferId):
    note = fields.String(load_default="", validate=validate.Length(max=500))


class ApplicationId(Schema):
    application_id = fields.UUID(required=True)


class RejectApplication(ApplicationId):
    reason = fields.String(required=True, validate=REASON)


class ListOwnApplications(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListApplications(ListOwnApplications):
    offer_id = fields.UUID(required=True)
    state = fields.Enum(ApplicationState, load_default=None, allow_none=True)


class Offer(Schema):
    offer_id = fields.UUID()
    version = fields.Integer()
    place = fields.String()
    kind = fields.String()
    title = fields.String()
    institution = fields.String()
    level = fields.String()
    fee = Amount("0", "0")
    duration = fields.String()
    summary = fields.String()
    applies_from = Instant()
    applies_until = Instant()
    state = fields.String()


class Application(Schema):
    application_id = fields.UUID()
    offer_id = fields.UUID()
    teacher_id = fields.UUID()
    note = fields.String()
    state = fields.String()
    reason = fields.String()
    applied_at = Instant()
    changed_at = Instant()
