"""Holds: special users and arrears, and what lifts them."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.people import explained, with_people
from gateway.rpc import ask, tell
from gateway.schemas import holds as schemas

blueprint = Blueprint("holds", __name__, description="特殊用户、往期未缴费 (holds on teachers)")


@blueprint.post("/holds")
@blueprint.doc(operationId="place_hold")
@blueprint.arguments(schemas.NewHold)
@blueprint.response(201, schemas.Hold)
def place_hold(body: dict[str, Any]) -> dict[str, Any]:
    """Hold a teacher of the own territory: a special user, or arrears of city or district courses."""
    return tell("billing", "place_hold", {name: str(value) for name, value in body.items()})


@blueprint.get("/holds")
@blueprint.doc(operationId="list_holds")
@blueprint.arguments(schemas.HoldsQuery, location="query")
@blueprint.response(200, schemas.Holds)
def list_holds(query: dict[str, Any]) -> dict[str, Any]:
    """Holds that the own institution keeps, or those on the own school's teachers; newest first."""
    page = ask_page("billing", "list_holds", query)
    return {**page, "items": with_people(page["items"])}


@blueprint.get("/holds/me")
@blueprint.doc(operationId="list_own_holds")
@blueprint.response(200, schemas.OwnHolds)
def list_own_holds() -> dict[str, Any]:
    """What holds oneself, lifted ones too."""
    return ask("billing", "list_own_holds")


@blueprint.post("/holds/<uuid:hold_id>/lifting")
@blueprint.doc(operationId="lift_hold")
@blueprint.arguments(schemas.Lifting)
@blueprint.response(200, schemas.Hold)
def lift_hold(body: dict[str, Any], hold_id: Any) -> dict[str, Any]:
    """Lift a hold: a special user shows an ID the first time, the ID and a stamped letter of the school afterwards."""
    return tell("billing", "lift_hold", {"hold_id": str(hold_id), **body})


@blueprint.post("/holds/liftings")
@blueprint.doc(operationId="lift_holds")
@blueprint.arguments(schemas.Liftings)
@blueprint.response(200, schemas.HoldOutcomes)
def lift_holds(body: dict[str, Any]) -> dict[str, Any]:
    """Lift many holds against a school's stamped application; each gets an outcome of its own."""
    ids = [str(hold_id) for hold_id in body["hold_ids"]]
    return {"rows": explained(tell("billing", "lift_holds", {**body, "hold_ids": ids})["rows"])}
