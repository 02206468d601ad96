"""Periods (期) and what they offer: the city centre's, and each district institution's."""

from __future__ import annotations

import uuid
from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import courses
from gateway.schemas import periods as schemas

blueprint = Blueprint("periods", __name__, description="期与开课 (periods and offerings)")


@blueprint.get("/periods")
@blueprint.doc(operationId="list_course_periods", security=[])
@blueprint.arguments(schemas.PeriodsQuery, location="query")
@blueprint.response(200, schemas.Periods)
def list_course_periods(query: dict[str, Any]) -> dict[str, Any]:
    """Published periods of a place and of what it lies in, the newest first."""
    reply = ask_page("catalog", "list_course_periods", query)
    caching.allow(0, public=True)
    return reply


@blueprint.get("/periods/<uuid:period_id>")
@blueprint.doc(operationId="get_course_period", security=[])
@blueprint.response(200, schemas.Period)
def get_course_period(period_id: uuid.UUID) -> dict[str, Any]:
    """A published period; `selects_until` is what a countdown counts to."""
    reply = ask("catalog", "get_course_period", {"period_id": str(period_id)})
    caching.allow(0, public=True)
    return reply


@blueprint.get("/kept-periods")
@blueprint.doc(operationId="list_kept_periods")
@blueprint.arguments(schemas.PeriodsQuery, location="query")
@blueprint.response(200, schemas.Periods)
def list_kept_periods(query: dict[str, Any]) -> dict[str, Any]:
    """The periods that the caller keeps, planned ones among them."""
    return ask_page("catalog", "list_kept_periods", query)


@blueprint.get("/kept-periods/<uuid:period_id>")
@blueprint.doc(operationId="get_kept_period")
@blueprint.response(200, schemas.Period)
def get_kept_period(period_id: uuid.UUID) -> dict[str, Any]:
    """A period that the caller keeps, whatever its state."""
    return ask("catalog", "get_kept_period", {"period_id": str(period_id)})


@blueprint.post("/periods")
@blueprint.doc(operationId="plan_period")
@blueprint.arguments(schemas.NewPeriod)
@blueprint.response(201, schemas.Period)
def plan_period(body: dict[str, Any]) -> dict[str, Any]:
    """Plan a period of the own city or district; nobody else sees it before it is published."""
    return tell("catalog", "plan_period", body)


@blueprint.put("/periods/<uuid:period_id>")
@blueprint.doc(operationId="revise_period")
@blueprint.arguments(schemas.PeriodRevision)
@blueprint.response(200, schemas.Period)
def revise_period(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """Change title and dates. While teachers choose, only the end and the last day to pay; afterwards nothing."""
    return tell("catalog", "revise_period", {"period_id": str(period_id), **body})


@blueprint.post("/periods/<uuid:period_id>/publication")
@blueprint.doc(operationId="publish_period")
@blueprint.arguments(schemas.PeriodStep)
@blueprint.response(200, schemas.Period)
def publish_period(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """Show the period to its teachers. Selection then opens and closes by the clock."""
    return tell("catalog", "publish_period", {"period_id": str(period_id), **body})


@blueprint.post("/periods/<uuid:period_id>/teaching")
@blueprint.doc(operationId="begin_teaching")
@blueprint.arguments(schemas.PeriodStep)
@blueprint.response(200, schemas.Period)
def begin_teaching(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """The bills are out: the courses begin."""
    return tell("catalog", "begin_teaching", {"period_id": str(period_id), **body})


@blueprint.post("/periods/<uuid:period_id>/grading")
@blueprint.doc(operationId="finish_grading")
@blueprint.arguments(schemas.PeriodStep)
@blueprint.response(200, schemas.Period)
def finish_grading(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """All grades of the period are in."""
    return tell("catalog", "finish_grading", {"period_id": str(period_id), **body})


@blueprint.post("/periods/<uuid:period_id>/archive")
@blueprint.doc(operationId="archive_period")
@blueprint.arguments(schemas.PeriodStep)
@blueprint.response(200, schemas.Period)
def archive_period(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """Put a graded period away."""
    return tell("catalog", "archive_period", {"period_id": str(period_id), **body})


# --- what it offers -----------------------------------------------------------------------------------------------------


@blueprint.post("/periods/<uuid:period_id>/offerings")
@blueprint.doc(operationId="add_offerings")
@blueprint.arguments(schemas.NewOfferings)
@blueprint.response(201, schemas.KeptOfferings)
def add_offerings(body: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """Offer courses in the period: all of them, or none. A fault's `field` says which."""
    return tell("catalog", "add_offerings", {"period_id": str(period_id), **schemas.NewOfferings().dump(body)})


@blueprint.get("/kept-periods/<uuid:period_id>/offerings")
@blueprint.doc(operationId="list_kept_offerings")
@blueprint.arguments(schemas.OfferingsQuery, location="query")
@blueprint.response(200, schemas.KeptOfferingPage)
def list_kept_offerings(query: dict[str, Any], period_id: uuid.UUID) -> dict[str, Any]:
    """What a period that the caller keeps offers, in the order in which it was added."""
    return ask_page("catalog", "list_kept_offerings", {"period_id": str(period_id), **query})


@blueprint.put("/offerings/<uuid:offering_id>")
@blueprint.doc(operationId="change_offering")
@blueprint.arguments(schemas.OfferingChange)
@blueprint.response(200, schemas.KeptOffering)
def change_offering(body: dict[str, Any], offering_id: uuid.UUID) -> dict[str, Any]:
    """Another capacity or audience. While teachers choose, seats can only be added."""
    change = schemas.OfferingChange().dump(body)
    return tell("catalog", "change_offering", {"offering_id": str(offering_id), **change})


@blueprint.post("/offerings/<uuid:offering_id>/withdrawal")
@blueprint.doc(operationId="withdraw_offering")
@blueprint.arguments(courses.Withdrawal)
@blueprint.response(200, schemas.KeptOffering)
def withdraw_offering(body: dict[str, Any], offering_id: uuid.UUID) -> dict[str, Any]:
    """Not held after all; what was chosen of it is void. Refused once selection is over."""
    return tell("catalog", "withdraw_offering", {"offering_id": str(offering_id), **body})


@blueprint.get("/offerings/<uuid:offering_id>/versions")
@blueprint.doc(operationId="list_offering_versions")
@blueprint.response(200, courses.PastStates)
def list_offering_versions(offering_id: uuid.UUID) -> dict[str, Any]:
    """Every announced state of an offering, and who made it so."""
    return ask("catalog", "list_offering_versions", {"offering_id": str(offering_id)})
