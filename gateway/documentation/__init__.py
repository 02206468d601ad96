"""The API document and its reference page, from files of this folder: no other host is asked for anything."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request

from gateway import caching
from gateway.context import call

documentation = Blueprint(
    "documentation", __name__, template_folder="templates", static_folder="files", static_url_path="/docs/files"
)
# swagger-ui draws its icons as data: images and sets style attributes through the DOM; neither needs 'unsafe-inline'.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def publish(app: Flask, document: dict[str, Any]) -> None:
    """Keep the finished document with its application."""
    app.extensions["yanxiu.openapi"] = json.dumps(document, ensure_ascii=False).encode()


@documentation.get("/openapi.json")
def openapi_document():
    """The OpenAPI 3.1 document."""
    caching.allow(300, public=True)
    return Response(current_app.extensions["yanxiu.openapi"], content_type="application/json")


@documentation.get("/docs")
def reference_page():
    """The reference page."""
    call().page_policy = PAGE_POLICY
    caching.allow(300, public=True)
    return render_template("reference.html", language=call().language)


@documentation.after_request
def keep_files(response: Response) -> Response:
    """The vendored files change only with a release."""
    if request.endpoint == "documentation.static" and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response
