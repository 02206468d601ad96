"""What the system has told a person by SMS, and in which language."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import notices as schemas

blueprint = Blueprint("notices", __name__, description="短信通知 (messages about what was decided)")


@blueprint.get("/accounts/me/notices")
@blueprint.doc(operationId="list_notices")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Notices)
def list_notices(page: dict[str, Any]) -> dict[str, Any]:
    """What you were told, newest first."""
    return ask_page("identity", "list_notices", page)


@blueprint.get("/accounts/me/notice-language")
@blueprint.doc(operationId="get_notice_language")
@blueprint.response(200, schemas.Language)
def get_notice_language() -> dict[str, Any]:
    """The language of messages to you."""
    return ask("identity", "get_notice_language")


@blueprint.put("/accounts/me/notice-language")
@blueprint.doc(operationId="choose_notice_language")
@blueprint.arguments(schemas.Language)
@blueprint.response(200, schemas.Language)
def choose_notice_language(body: dict[str, Any]) -> dict[str, Any]:
    """Choose the language of messages to you."""
    return tell("identity", "choose_notice_language", body)
