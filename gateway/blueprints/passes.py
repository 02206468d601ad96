"""National passes: signing in by one, binding and unbinding."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from gateway import caching
from gateway.auth import user_agent
from gateway.openapi import Blueprint
from gateway.rpc import ask, tell
from gateway.schemas import passes as schemas
from gateway.schemas.identity import SignedIn

blueprint = Blueprint("passes", __name__, description="通行证 (national passes, OpenID Connect)")

ISSUERS_SECONDS = 300


@blueprint.get("/pass-issuers")
@blueprint.doc(operationId="list_pass_issuers", security=[])
@blueprint.response(200, schemas.PassIssuers)
def list_pass_issuers() -> dict[str, Any]:
    """The passes that can be used here."""
    caching.allow(ISSUERS_SECONDS, public=True)
    return ask("identity", "list_pass_issuers")


@blueprint.post("/pass-sign-ins")
@blueprint.doc(operationId="start_pass_sign_in", security=[])
@blueprint.arguments(schemas.NewAuthorisation)
@blueprint.response(201, schemas.Authorisation)
def start_pass_sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Begin to sign in by a pass: send the browser to the issuer."""
    return tell("identity", "start_pass_sign_in", body)


@blueprint.post("/pass-sign-ins/completion")
@blueprint.doc(operationId="complete_pass_sign_in", security=[])
@blueprint.arguments(schemas.AuthorisationAnswer)
@blueprint.response(201, SignedIn)
def complete_pass_sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Sign in by what came back. A pass that nobody has bound signs nobody in, whatever phone it names."""
    return tell("identity", "complete_pass_sign_in", {**body, "user_agent": user_agent(request)})


@blueprint.get("/accounts/me/passes")
@blueprint.doc(operationId="list_passes")
@blueprint.response(200, schemas.BoundPasses)
def list_passes() -> dict[str, Any]:
    """The passes bound to your account."""
    return ask("identity", "list_passes")


@blueprint.post("/accounts/me/passes")
@blueprint.doc(operationId="start_pass_binding")
@blueprint.arguments(schemas.NewAuthorisation)
@blueprint.response(201, schemas.Authorisation)
def start_pass_binding(body: dict[str, Any]) -> dict[str, Any]:
    """Begin to bind a pass; needs a fresh code from your phone."""
    return tell("identity", "start_pass_binding", body)


@blueprint.post("/accounts/me/passes/completion")
@blueprint.doc(operationId="complete_pass_binding")
@blueprint.arguments(schemas.AuthorisationAnswer)
@blueprint.response(201, schemas.BoundPass)
def complete_pass_binding(body: dict[str, Any]) -> dict[str, Any]:
    """Bind the pass by what came back."""
    return tell("identity", "complete_pass_binding", body)


@blueprint.delete("/accounts/me/passes/<uuid:pass_id>")
@blueprint.doc(operationId="unbind_pass")
@blueprint.response(204)
def unbind_pass(pass_id: uuid.UUID) -> None:
    """Unbind a pass; needs a fresh code from your phone. The last way into an account stays."""
    tell("identity", "unbind_pass", {"pass_id": str(pass_id)})
