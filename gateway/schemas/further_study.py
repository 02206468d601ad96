"""Bodies and queries of degree and skills offers."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.courses import FEE, INSTANT, PLACE, REASON, VERSION, amount
from gateway.schemas.org import EXAMPLE_ID, choice, place
from services.catalog.contract.further_study import ApplicationState, OfferKind, OfferState

KIND = {"description": "学历提升 DEGREE, 职业技能 SKILL.", "example": "DEGREE"}
TITLE = {"example": "教育硕士"}
INSTITUTION = {"description": "Who teaches it.", "example": "某师范大学"}
LEVEL = {"example": "硕士"}
DURATION = {"example": "三年"}
OPENS = {"description": "Applications are taken from this instant.", "example": "2026-03-01T00:00:00+08:00"}
CLOSES = {"description": "The first instant that no longer counts.", "example": "2026-04-01T00:00:00+08:00"}
STATE = {"description": "已报名 APPLIED, 已撤回 TAKEN_BACK, 已通过 ACCEPTED, 未通过 REJECTED.", "example": "APPLIED"}


class OfferContent(Schema):
    kind = choice(OfferKind, required=True, metadata=KIND)
    title = Text(120, required=True, metadata=TITLE)
    institution = Text(100, required=True, metadata=INSTITUTION)
    level = Text(30, shortest=0, metadata=LEVEL)
    fee = amount(metadata=FEE)
    duration = Text(30, shortest=0, metadata=DURATION)
    summary = Text(4000, shortest=0, metadata={"example": ""})
    applies_from = Text(40, required=True, metadata=OPENS)
    applies_until = Text(40, required=True, metadata=CLOSES)


class NewOffer(OfferContent):
    place = place(required=True)


class OfferChange(OfferContent):
    version = Whole(required=True, metadata=VERSION)


class OffersQuery(Page):
    place = place(required=True)
    kind = choice(OfferKind, metadata=KIND)


class NewApplication(Schema):
    note = Text(500, shortest=0, metadata={"description": "For whoever decides.", "example": ""})


class Rejection(Schema):
    reason = Text(200, shortest=2, required=True, metadata=REASON)


class ApplicationsQuery(Page):
    state = choice(ApplicationState, metadata=STATE)


class Offer(ma.Schema):
    offer_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    version = fields.Integer(metadata=VERSION)
    place = fields.String(metadata=PLACE)
    kind = choice(OfferKind, metadata=KIND)
    title = fields.String(metadata=TITLE)
    institution = fields.String(metadata=INSTITUTION)
    level = fields.String(metadata=LEVEL)
    fee = fields.String(metadata=FEE)
    duration = fields.String(metadata=DURATION)
    summary = fields.String()
    applies_from = fields.String(metadata=OPENS)
    applies_until = fields.String(metadata=CLOSES)
    state = choice(OfferState, metadata={"example": "OPEN"})


class Offers(PageReply):
    items = fields.List(fields.Nested(Offer), required=True)


class Application(ma.Schema):
    application_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    offer_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    note = fields.String()
    state = choice(ApplicationState, metadata=STATE)
    reason = fields.String(metadata={"description": "Of a rejection.", "example": ""})
    applied_at = fields.String(metadata=INSTANT)
    changed_at = fields.String(metadata=INSTANT)


class Applications(PageReply):
    items = fields.List(fields.Nested(Application), required=True)
