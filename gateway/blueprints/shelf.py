"""The course supermarket 课程超市: browsing, searching, rating, and the shelf of recommendations."""

from __future__ import annotations

import uuid
from typing import Any

from gateway.context import call
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import shelf as schemas
from gateway.warm import kept_warm
from services.catalog.contract.courses import HOUR_TYPE_NAMES
from services.catalog.contract.shelf import REASON_TEXTS, Reason
from services.shared import clock
from services.shared.errors import Conflict, NotFound, Unavailable

# What is offered changes by the day; who looks sees a change within two seconds, one of them the reader's own.
SECONDS = 1
TYPE_OF_NAME = {name: hour_type for hour_type, name in HOUR_TYPE_NAMES.items()}

blueprint = Blueprint("shelf", __name__, description="课程超市 (offerings to choose from, ratings, recommendations)")


@blueprint.get("/offerings")
@blueprint.doc(operationId="list_offerings", security=[])
@blueprint.response(200, schemas.OfferingPage)
@kept_warm("list_offerings", schemas.OfferingPage, SECONDS)
@blueprint.arguments(schemas.OfferingsQuery, location="query")
def list_offerings(query: dict[str, Any]) -> dict[str, Any]:
    """What is offered to somebody at a place. A district's courses are shown to who stands there, signed in."""
    return ask_page("catalog", "list_offerings", schemas.OfferingsQuery().dump(query), shared=True)


@blueprint.get("/offerings/<uuid:offering_id>")
@blueprint.doc(operationId="get_offering", security=[])
@blueprint.response(200, schemas.OfferingDetail)
@kept_warm("get_offering", schemas.OfferingDetail, SECONDS)
def get_offering(offering_id: uuid.UUID) -> dict[str, Any]:
    """One offering with its period, what it costs, and what others thought of it."""
    return ask("catalog", "get_offering", {"offering_id": str(offering_id)})


@blueprint.get("/course-series")
@blueprint.doc(operationId="list_series", security=[])
@blueprint.response(200, schemas.SeriesList)
@kept_warm("list_series", schemas.SeriesList, SECONDS)
@blueprint.arguments(schemas.SeriesQuery, location="query")
def list_series(query: dict[str, Any]) -> dict[str, Any]:
    """Series of micro-courses; `/offerings?series=` lists their courses, each of which is chosen by itself."""
    return ask("catalog", "list_series", query)


@blueprint.put("/offerings/<uuid:offering_id>/rating")
@blueprint.doc(operationId="rate_offering")
@blueprint.arguments(schemas.NewRating)
@blueprint.response(200, schemas.Rating)
def rate_offering(body: dict[str, Any], offering_id: uuid.UUID) -> dict[str, Any]:
    """Rate a course that one has passed; whoever rates again replaces the own stars."""
    return tell("catalog", "rate_offering", {"offering_id": str(offering_id), **body})


@blueprint.get("/offerings/<uuid:offering_id>/rating")
@blueprint.doc(operationId="get_own_rating")
@blueprint.response(200, schemas.OwnRating)
def get_own_rating(offering_id: uuid.UUID) -> dict[str, Any]:
    """The own stars, and whether one may give any."""
    return ask("catalog", "get_own_rating", {"offering_id": str(offering_id)})


@blueprint.get("/recommended-offerings")
@blueprint.doc(operationId="recommend_offerings")
@blueprint.response(200, schemas.Recommendations)
def recommend_offerings() -> dict[str, Any]:
    """Five to eight courses for the caller, each with its reasons: hours the year lacks, subject, segment, colleagues."""
    missing = _missing_hours()
    gaps = [{"hour_type": name, "hours": hours} for name, hours in (missing or {}).items()]
    items = ask("catalog", "recommend_offerings", {"gaps": gaps})["items"]
    for item in items:
        item["reasons"] = [{"code": code, "text": _text(code)} for code in item["reasons"]]
    return {"items": items, "missing": missing}


def _missing_hours() -> dict[str, str] | None:
    """What this year still lacks of each hour type, as credits tells it; None where no rules apply, or nobody can say."""
    year = clock.now().astimezone(clock.BEIJING).year
    try:
        told = ask("credits", "get_year_verification", {"year": year})
    except (NotFound, Conflict, Unavailable):
        # A shelf without this reason is better than none.
        return None
    short: dict[str, str] = {}
    for each in told["verification"]["shortfalls"]:
        # The total and sums of categories name no type of their own.
        if each["measure"] in TYPE_OF_NAME:
            short[str(TYPE_OF_NAME[each["measure"]])] = each["missing"]
    return short


def _text(code: str) -> str:
    chinese, english = REASON_TEXTS[Reason(code)]
    return english if call().language == "en" else chinese
