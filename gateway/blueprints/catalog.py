"""Programmes: what can be studied, and when."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import catalog as schemas
from gateway.warm import kept_warm

# A season opens and closes at an instant; who looks learns it within two seconds, one of them the reader's own.
SECONDS = 1

blueprint = Blueprint("catalog", __name__, description="专题、课程、视频 (programmes, courses, videos)")


@blueprint.get("/programmes")
@blueprint.doc(operationId="list_programmes", security=[])
@blueprint.response(200, schemas.ProgrammePage)
@kept_warm("list_programmes", schemas.ProgrammePage, SECONDS)
@blueprint.arguments(Page, location="query")
def list_programmes(page: dict[str, Any]) -> dict[str, Any]:
    """The newest season first: what everybody sees, and what is for the places where the caller stands or answers."""
    return ask_page("catalog", "list_programmes", page, start="", shared=True)


@blueprint.get("/programmes/<uuid:programme_id>")
@blueprint.doc(operationId="get_programme", security=[])
@blueprint.response(200, schemas.Programme)
@kept_warm("get_programme", schemas.Programme, SECONDS, alike=True)
def get_programme(programme_id: Any) -> dict[str, Any]:
    """A programme with its modules, phases, courses, videos and quiz points, also when it stands on no list of the caller's.

    Its ETag changes with its content and its state.
    """
    return ask("catalog", "get_programme", {"programme_id": str(programme_id)})


@blueprint.post("/programmes")
@blueprint.doc(operationId="publish_programme")
@blueprint.arguments(schemas.NewProgramme)
@blueprint.response(200, schemas.Publication)
def publish_programme(body: dict[str, Any]) -> dict[str, Any]:
    """Publish a season: the national operator's. The same content again changes nothing, other content is a new version."""
    return tell("catalog", "publish_programme", body)
