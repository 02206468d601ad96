"""Printed documents at the edge: a PDF as an answer, and the printing of what another service has put together.

A view asks the owner of the figures for the document's data, as the person, and has certs print what came back, as the
gateway: certs knows nothing of anybody's rights to a bill, and no owner waits for a renderer.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from flask import Response

from gateway import caching
from gateway.context import gateway
from gateway.rpc import ask, extend_deadline
from services.certs import contract as certs
from services.shared.actor import service_actor

# A render waits for a free place in a small pool.
RENDER_SECONDS = 15.0
PDF_DOCUMENT: Final = {
    200: {"description": "The PDF", "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


def print_document(document: dict[str, Any], file_name: str) -> Response:
    """The PDF of an owner's document (`services/certs/contract/document.py`), as a download.

    `file_name` is ASCII without path and without personal data ("notice-2026-000123.pdf"). Raises InvalidInput for data
    that is no such document, Conflict("certs.name_not_printable") for a text that no font of ours prints.
    """
    extend_deadline(RENDER_SECONDS)
    token = gateway().signer.sign(service_actor("gateway"), certs.RENDER)
    printed = ask(certs.RENDER, "render_document", {"document": document}, token=token)
    return pdf_response({**printed, "file_name": file_name})


def pdf_response(printed: dict[str, Any]) -> Response:
    """A PDF that a service answered: `content` in base64, `sha256`, `file_name`."""
    caching.allow(0, etag=printed["sha256"])
    response = Response(base64.b64decode(printed["content"]), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{printed["file_name"]}"'
    return response
