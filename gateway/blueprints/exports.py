"""Exports of personal data: asked for with a purpose after a code by SMS, then a job like any other."""

from __future__ import annotations

from typing import Any

from gateway.blueprints.jobs import SERVICE, process_of, shown
from gateway.openapi import Blueprint
from gateway.rpc import tell
from gateway.schemas import jobs as schemas

blueprint = Blueprint("exports", __name__, description="导出 (exports)")


@blueprint.post(f"/exports/{SERVICE}")
@blueprint.doc(operationId="request_export")
@blueprint.arguments(schemas.NewExport)
@blueprint.response(202, schemas.Job)
def request_export(body: dict[str, Any], service: str) -> dict[str, Any]:
    """Ask for an export of your territory. It needs a fresh SMS code, carries your name, and expires within a day."""
    return shown(tell(process_of(service), "request_export", body))
