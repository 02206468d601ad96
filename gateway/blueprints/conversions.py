"""Hours and credits earned under another unit, and the act by which they count where the teacher is now."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.rpc import ask, tell
from gateway.schemas import conversions as schemas

blueprint = Blueprint("conversions", __name__, description="学时学分换算 (conversions between hours and credits)")


@blueprint.get("/conversions")
@blueprint.doc(operationId="list_conversions")
@blueprint.arguments(schemas.ConversionsQuery, location="query")
@blueprint.response(200, schemas.Conversions)
def list_conversions(query: dict[str, Any]) -> dict[str, Any]:
    """What a teacher earned in a year in another unit than that of her place: converted, or what it would come to."""
    return ask("credits", "list_conversions", schemas.ConversionsQuery().dump(query))


@blueprint.post("/conversions")
@blueprint.doc(operationId="convert_amount")
@blueprint.arguments(schemas.NewConversion)
@blueprint.response(201, schemas.Conversion)
def convert_amount(body: dict[str, Any]) -> dict[str, Any]:
    """Let an amount count here: an entry of the ledger, by the rule of a pack; for those who recognise hours at the place."""
    return tell("credits", "convert_amount", schemas.NewConversion().dump(body))


@blueprint.post("/conversions/undoing")
@blueprint.doc(operationId="undo_conversion")
@blueprint.arguments(schemas.UndoneConversion)
@blueprint.response(200, schemas.Conversion)
def undo_conversion(body: dict[str, Any]) -> dict[str, Any]:
    """Take a conversion back by a reversing entry; the amount is listed again."""
    return tell("credits", "undo_conversion", schemas.UndoneConversion().dump(body))
