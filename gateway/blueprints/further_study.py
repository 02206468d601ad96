"""Degree and skills offers 专业发展: listed, applied for, decided about."""

from __future__ import annotations

import uuid
from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page, courses
from gateway.schemas import further_study as schemas

blueprint = Blueprint("further_study", __name__, description="学历提升与职业技能 (degree and skills offers)")


@blueprint.get("/study-offers")
@blueprint.doc(operationId="list_study_offers", security=[])
@blueprint.arguments(schemas.OffersQuery, location="query")
@blueprint.response(200, schemas.Offers)
def list_study_offers(query: dict[str, Any]) -> dict[str, Any]:
    """What the teachers of a place can apply for, now or soon, the newest first."""
    reply = ask_page("catalog", "list_study_offers", query)
    caching.allow(0, public=True)
    return reply


@blueprint.get("/study-offers/<uuid:offer_id>")
@blueprint.doc(operationId="get_study_offer", security=[])
@blueprint.response(200, schemas.Offer)
def get_study_offer(offer_id: uuid.UUID) -> dict[str, Any]:
    """One offer."""
    reply = ask("catalog", "get_study_offer", {"offer_id": str(offer_id)})
    caching.allow(0, public=True)
    return reply


@blueprint.get("/kept-study-offers")
@blueprint.doc(operationId="list_kept_study_offers")
@blueprint.arguments(schemas.OffersQuery, location="query")
@blueprint.response(200, schemas.Offers)
def list_kept_study_offers(query: dict[str, Any]) -> dict[str, Any]:
    """The offers of the own place and below it, past and withdrawn ones among them."""
    return ask_page("catalog", "list_kept_study_offers", query)


@blueprint.post("/study-offers")
@blueprint.doc(operationId="create_study_offer")
@blueprint.arguments(schemas.NewOffer)
@blueprint.response(201, schemas.Offer)
def create_study_offer(body: dict[str, Any]) -> dict[str, Any]:
    """Offer a degree or skills course to the teachers of the own city or district."""
    return tell("catalog", "create_study_offer", body)


@blueprint.put("/study-offers/<uuid:offer_id>")
@blueprint.doc(operationId="change_study_offer")
@blueprint.arguments(schemas.OfferChange)
@blueprint.response(200, schemas.Offer)
def change_study_offer(body: dict[str, Any], offer_id: uuid.UUID) -> dict[str, Any]:
    """Replace what the offer says."""
    return tell("catalog", "change_study_offer", {"offer_id": str(offer_id), **body})


@blueprint.post("/study-offers/<uuid:offer_id>/withdrawal")
@blueprint.doc(operationId="withdraw_study_offer")
@blueprint.arguments(courses.Withdrawal)
@blueprint.response(200, schemas.Offer)
def withdraw_study_offer(body: dict[str, Any], offer_id: uuid.UUID) -> dict[str, Any]:
    """Take no more applications; those that were made stay to be decided."""
    return tell("catalog", "withdraw_study_offer", {"offer_id": str(offer_id), **body})


@blueprint.post("/study-offers/<uuid:offer_id>/applications")
@blueprint.doc(operationId="apply_for_study")
@blueprint.arguments(schemas.NewApplication)
@blueprint.response(201, schemas.Application)
def apply_for_study(body: dict[str, Any], offer_id: uuid.UUID) -> dict[str, Any]:
    """Apply, inside the time for it. Who took an application back may apply again."""
    return tell("catalog", "apply_for_study", {"offer_id": str(offer_id), **body})


@blueprint.get("/study-offers/<uuid:offer_id>/applications")
@blueprint.doc(operationId="list_study_applications")
@blueprint.arguments(schemas.ApplicationsQuery, location="query")
@blueprint.response(200, schemas.Applications)
def list_study_applications(query: dict[str, Any], offer_id: uuid.UUID) -> dict[str, Any]:
    """Who has applied for an offer that the caller keeps."""
    return ask_page("catalog", "list_study_applications", {"offer_id": str(offer_id), **query})


@blueprint.get("/study-applications")
@blueprint.doc(operationId="list_own_study_applications")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Applications)
def list_own_study_applications(query: dict[str, Any]) -> dict[str, Any]:
    """The own applications, the newest first."""
    return ask_page("catalog", "list_own_study_applications", query)


@blueprint.post("/study-applications/<uuid:application_id>/withdrawal")
@blueprint.doc(operationId="take_back_study_application")
@blueprint.response(200, schemas.Application)
def take_back_study_application(application_id: uuid.UUID) -> dict[str, Any]:
    """Take the own application back while nobody has decided."""
    return tell("catalog", "take_back_study_application", {"application_id": str(application_id)})


@blueprint.post("/study-applications/<uuid:application_id>/acceptance")
@blueprint.doc(operationId="accept_study_application")
@blueprint.response(200, schemas.Application)
def accept_study_application(application_id: uuid.UUID) -> dict[str, Any]:
    """Accept an applicant."""
    return tell("catalog", "accept_study_application", {"application_id": str(application_id)})


@blueprint.post("/study-applications/<uuid:application_id>/rejection")
@blueprint.doc(operationId="reject_study_application")
@blueprint.arguments(schemas.Rejection)
@blueprint.response(200, schemas.Application)
def reject_study_application(body: dict[str, Any], application_id: uuid.UUID) -> dict[str, Any]:
    """Reject an applicant, with the reason."""
    return tell("catalog", "reject_study_application", {"application_id": str(application_id), **body})
