"""The audit trail, for auditors."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.schemas import audit as schemas
from services.shared import clock

blueprint = Blueprint("audit", __name__, description="审计 (the audit trail)")


@blueprint.get("/audit-records")
@blueprint.doc(operationId="search_audit")
@blueprint.arguments(schemas.AuditQuery, location="query")
@blueprint.response(200, schemas.AuditPage)
def search_audit(query: dict[str, Any]) -> dict[str, Any]:
    """What was done and what was refused, newest first: for auditors, inside their territory. The search is recorded too."""
    service = query.pop("service")
    for name in ("since", "until"):
        if name in query:
            query[name] = clock.format_instant(query[name])
    if "subject" in query:
        query["subject"] = str(query["subject"])
    return ask_page(service, "search_audit", query)
