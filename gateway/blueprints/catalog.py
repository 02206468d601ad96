"""Programmes: what can be studied, and when."""

from __future__ import annotations

from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import catalog as schemas

blueprint = Blueprint("catalog", __name__, description="专题、课程、视频 (programmes, courses, videos)")


@blueprint.get("/programmes")
@blueprint.doc(operationId="list_programmes", security=[])
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.ProgrammePage)
def list_programmes(page: dict[str, Any]) -> dict[str, Any]:
    """All programmes, the newest season first."""
    reply = ask_page("catalog", "list_programmes", page, start="")
    caching.allow(0, public=True)
    return reply


@blueprint.get("/programmes/<uuid:programme_id>")
@blueprint.doc(operationId="get_programme", security=[])
@blueprint.response(200, schemas.Programme)
def get_programme(programme_id: Any) -> dict[str, Any]:
    """A programme with its courses, videos and quiz points. Its ETag changes with its content and its state."""
    reply = ask("catalog", "get_programme", {"programme_id": str(programme_id)})
    # Kept but always asked for again: a season opens and closes at an instant.
    caching.allow(0, public=True, etag=f"{reply['content_hash'][:32]}-{reply['version']}-{reply['state']}")
    return reply


@blueprint.post("/programmes")
@blueprint.doc(operationId="publish_programme")
@blueprint.arguments(schemas.NewProgramme)
@blueprint.response(200, schemas.Publication)
def publish_programme(body: dict[str, Any]) -> dict[str, Any]:
    """Publish a season: the national operator's. The same content again changes nothing, other content is a new version."""
    return tell("catalog", "publish_programme", body)
