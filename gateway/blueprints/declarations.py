"""Hours that teachers declare for what they did elsewhere, reviewed by the school and by the department above it."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Response

from gateway import evidence
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas import declarations as schemas

UPLOAD_SECONDS = 30.0
SUFFIXES = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
FILE_DOCUMENT = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES},
    }
}

blueprint = Blueprint("declarations", __name__, description="学时申报 (declared hours and their two reviews)")


@blueprint.post("/declarations")
@blueprint.doc(operationId="create_declaration")
@blueprint.arguments(schemas.NewDeclaration)
@blueprint.response(201, schemas.Declaration)
def create_declaration(body: dict[str, Any]) -> dict[str, Any]:
    """Draft a declaration of the own hours; a verified teacher may."""
    return tell("credits", "create_declaration", schemas.NewDeclaration().dump(body))


@blueprint.get("/declarations/mine")
@blueprint.doc(operationId="list_own_declarations")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Declarations)
def list_own_declarations(query: dict[str, Any]) -> dict[str, Any]:
    """The own declarations, newest first."""
    return ask_page("credits", "list_own_declarations", query)


@blueprint.get("/declarations")
@blueprint.doc(operationId="list_declarations")
@blueprint.arguments(schemas.DeclarationsQuery, location="query")
@blueprint.response(200, schemas.Declarations)
def list_declarations(query: dict[str, Any]) -> dict[str, Any]:
    """What the teachers of a place declared, the longest waiting first, for those who review there."""
    return ask_page("credits", "list_declarations", query)


@blueprint.get("/declarations/<uuid:declaration_id>")
@blueprint.doc(operationId="get_declaration")
@blueprint.response(200, schemas.DeclarationDetail)
def get_declaration(declaration_id: Any) -> dict[str, Any]:
    """One declaration with every round, both opinions and their reasons."""
    return ask("credits", "get_declaration", _named(declaration_id))


@blueprint.put("/declarations/<uuid:declaration_id>")
@blueprint.doc(operationId="edit_declaration")
@blueprint.arguments(schemas.NewDeclaration)
@blueprint.response(200, schemas.Declaration)
def edit_declaration(body: dict[str, Any], declaration_id: Any) -> dict[str, Any]:
    """Rewrite a draft, or one that was returned."""
    return tell("credits", "edit_declaration", {**_named(declaration_id), **schemas.NewDeclaration().dump(body)})


@blueprint.post("/declarations/<uuid:declaration_id>/submission")
@blueprint.doc(operationId="submit_declaration")
@blueprint.response(200, schemas.Declaration)
def submit_declaration(declaration_id: Any) -> dict[str, Any]:
    """Hand it to the own school: the next round begins."""
    return tell("credits", "submit_declaration", _named(declaration_id))


@blueprint.post("/declarations/<uuid:declaration_id>/withdrawal")
@blueprint.doc(operationId="withdraw_declaration")
@blueprint.response(200, schemas.Declaration)
def withdraw_declaration(declaration_id: Any) -> dict[str, Any]:
    """Take it back before it is decided."""
    return tell("credits", "withdraw_declaration", _named(declaration_id))


@blueprint.post("/declarations/<uuid:declaration_id>/first-pass")
@blueprint.doc(operationId="pass_declaration")
@blueprint.response(200, schemas.Declaration)
def pass_declaration(declaration_id: Any) -> dict[str, Any]:
    """The school's favourable opinion (通过)."""
    return tell("credits", "pass_declaration", _named(declaration_id))


@blueprint.post("/declarations/<uuid:declaration_id>/return")
@blueprint.doc(operationId="return_declaration")
@blueprint.arguments(schemas.DeclarationReason)
@blueprint.response(200, schemas.Declaration)
def return_declaration(body: dict[str, Any], declaration_id: Any) -> dict[str, Any]:
    """Send it back to be declared again (退回重新申报), by whoever's turn it is, with the reason."""
    return tell("credits", "return_declaration", {**_named(declaration_id), **body})


@blueprint.post("/declarations/<uuid:declaration_id>/approval")
@blueprint.doc(operationId="approve_declaration")
@blueprint.response(200, schemas.Declaration)
def approve_declaration(declaration_id: Any) -> dict[str, Any]:
    """The final review: the hours enter the ledger."""
    return tell("credits", "approve_declaration", _named(declaration_id))


@blueprint.post("/declarations/<uuid:declaration_id>/voiding")
@blueprint.doc(operationId="void_declaration")
@blueprint.arguments(schemas.DeclarationReason)
@blueprint.response(200, schemas.Declaration)
def void_declaration(body: dict[str, Any], declaration_id: Any) -> dict[str, Any]:
    """Take back what was recognised by mistake; a reversing entry says so."""
    return tell("credits", "void_declaration", {**_named(declaration_id), **body})


@blueprint.post("/declarations/<uuid:declaration_id>/attachments")
@blueprint.doc(operationId="add_attachment")
@blueprint.arguments(schemas.Proof, location="files", content_type="multipart/form-data")
@blueprint.response(201, schemas.AttachmentAdded)
def add_attachment(files: dict[str, Any], declaration_id: Any) -> dict[str, Any]:
    """Add a proof to a draft, or to one that was returned. It is sealed, and kept with every round it is submitted in."""
    extend_deadline(UPLOAD_SECONDS)
    # Before the file costs anything: somebody else's declaration is unknown.
    ask("credits", "get_declaration", _named(declaration_id))
    with contextlib.closing(files["file"]) as file:
        media_type, content = evidence.read_proof(file.stream)
    reply = evidence.add_file(evidence.DECLARATIONS, media_type, content, _named(declaration_id), tell)
    return {"attachment_id": reply["attachment_id"], "attachments": reply["attachments"]}


@blueprint.get("/declarations/<uuid:declaration_id>/attachments/<uuid:attachment_id>")
@blueprint.doc(operationId="view_attachment", responses=FILE_DOCUMENT)
def view_attachment(declaration_id: Any, attachment_id: Any) -> Response:
    """One proof, for its teacher and the reviewers; a reviewer's look is put on record."""
    extend_deadline(UPLOAD_SECONDS)
    found = tell("credits", "view_attachment", {**_named(declaration_id), "attachment_id": str(attachment_id)})
    content = evidence.open_kept(found, str(attachment_id), "credits.attachment_unknown")
    response = Response(content, content_type=found["media_type"])
    # Saved, and never shown inside our own pages: a PDF may hold programs.
    response.headers["Content-Disposition"] = f'attachment; filename="{attachment_id}{SUFFIXES[found["media_type"]]}"'
    return response


@blueprint.delete("/declarations/<uuid:declaration_id>/attachments/<uuid:attachment_id>")
@blueprint.doc(operationId="remove_attachment")
@blueprint.response(204)
def remove_attachment(declaration_id: Any, attachment_id: Any) -> None:
    """Leave a proof out of the next round; rounds that were submitted keep theirs."""
    gone = tell("credits", "remove_attachment", {**_named(declaration_id), "attachment_id": str(attachment_id)})
    if gone["storage_key"]:
        evidence.take_back(gone["storage_key"])


def _named(declaration_id: Any) -> dict[str, Any]:
    return {"declaration_id": str(declaration_id)}
