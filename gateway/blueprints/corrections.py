"""Corrections of certificates: proposed by one person of the issuer, decided by another."""

from __future__ import annotations

import uuid
from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import corrections as schemas

blueprint = Blueprint(
    "corrections", __name__, description="证书换发与撤销 (re-issue and revocation of certificates, by two persons)"
)


@blueprint.post("/certificate-corrections")
@blueprint.doc(operationId="propose_correction")
@blueprint.arguments(schemas.NewCorrection)
@blueprint.response(201, schemas.Correction)
def propose_correction(body: dict[str, Any]) -> dict[str, Any]:
    """Ask that certificates be issued anew, or revoked; another person decides within 30 days."""
    return tell("certs", "propose_correction", schemas.NewCorrection().dump(body))


@blueprint.get("/certificate-corrections")
@blueprint.doc(operationId="list_corrections")
@blueprint.arguments(schemas.CorrectionsQuery, location="query")
@blueprint.response(200, schemas.Corrections)
def list_corrections(query: dict[str, Any]) -> dict[str, Any]:
    """Corrections, the newest first; `state=PROPOSED` shows those that wait."""
    return ask_page("certs", "list_corrections", query)


@blueprint.get("/certificate-corrections/<uuid:correction_id>")
@blueprint.doc(operationId="get_correction")
@blueprint.response(200, schemas.Correction)
def get_correction(correction_id: uuid.UUID) -> dict[str, Any]:
    """One correction with its certificates, holders masked."""
    return ask("certs", "get_correction", {"correction_id": str(correction_id)})


@blueprint.post("/certificate-corrections/<uuid:correction_id>/approval")
@blueprint.doc(operationId="approve_correction")
@blueprint.response(200, schemas.Correction)
def approve_correction(correction_id: uuid.UUID) -> dict[str, Any]:
    """Do what another person proposed, to all of its certificates or to none."""
    return tell("certs", "approve_correction", {"correction_id": str(correction_id)})


@blueprint.post("/certificate-corrections/<uuid:correction_id>/rejection")
@blueprint.doc(operationId="reject_correction")
@blueprint.arguments(schemas.CorrectionRejection)
@blueprint.response(200, schemas.Correction)
def reject_correction(body: dict[str, Any], correction_id: uuid.UUID) -> dict[str, Any]:
    """Leave the certificates as they are, with the reason."""
    return tell("certs", "reject_correction", {"correction_id": str(correction_id), **body})


@blueprint.post("/certificate-corrections/<uuid:correction_id>/withdrawal")
@blueprint.doc(operationId="withdraw_correction")
@blueprint.response(200, schemas.Correction)
def withdraw_correction(correction_id: uuid.UUID) -> dict[str, Any]:
    """Take the own proposal back while it waits."""
    return tell("certs", "withdraw_correction", {"correction_id": str(correction_id)})
