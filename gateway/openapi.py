"""The API document (OpenAPI 3.1): what every operation shares is added here, so that no blueprint has to repeat it."""

from __future__ import annotations

import dataclasses
import http
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Flask
from marshmallow import fields

from gateway import limits
from gateway.messages import LANGUAGES, Catalogue
from gateway.parsing import StrictParser

PREFIX = "/api/v1"
UNSAFE = frozenset({"post", "put", "patch", "delete"})
# What any operation may answer, and what only those that change something may.
COMMON_PROBLEMS = (400, 401, 403, 404, 405, 429, 500, 503, 504)
UNSAFE_PROBLEMS = (409, 411, 413, 415, 422)
PROBLEM_TYPE = "application/problem+json"
DESCRIPTION = """\
Teachers' professional development: registration, study, recognised hours, certificates. 教师研修平台接口。

* **Errors** are `application/problem+json` (RFC 9457) with a stable `code`; texts follow `Accept-Language` (`zh` by default, or `en`).
  Every code with its texts stands under `x-problem-codes` of this document.
* **Repeating safely**: give every unsafe request an `Idempotency-Key` and keep it until you have an answer. The same key with the same
  body returns the first answer again; with another body it is refused with 422.
* **Lists** return `items` and `next_cursor`; pass it as `cursor` for the next page.
* **Times** are RFC 3339 in UTC; hours and credits are decimal strings.
* **Limits** are given with each operation; 429 and 503 carry `Retry-After`.
"""


class FaultSchema(ma.Schema):
    field = fields.String(required=True, metadata={"example": "segments.0.from"})
    code = fields.String(required=True, metadata={"example": "shared.out_of_range"})
    message = fields.String(required=True)


class ProblemSchema(ma.Schema):
    """An RFC 9457 problem."""

    type = fields.String(required=True, metadata={"example": "urn:yanxiu:problem:org.school_closed"})
    title = fields.String(required=True, metadata={"example": "Conflict"})
    status = fields.Integer(required=True, metadata={"example": 409})
    detail = fields.String(required=True, metadata={"description": "For people, in the language asked for."})
    code = fields.String(
        required=True, metadata={"description": "Stable; for programs.", "example": "org.school_closed"}
    )
    field = fields.String(required=True, metadata={"description": "Dotted path of the first fault, or empty."})
    errors = fields.List(fields.Nested(FaultSchema), required=True, metadata={"description": "Every fault found."})
    call_id = fields.String(required=True, metadata={"description": "Quote it when you report the problem."})


class Blueprint(flask_smorest.Blueprint):
    """A service's routes. Wrong arguments answer 400, and the document gets what all operations share."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepare_doc_cbks.append(_describe_operation)

    def arguments(self, schema: Any, **options: Any) -> Any:
        options.setdefault("error_status_code", 400)
        # Made once: webargs would make a class anew for each request, which takes longer than reading a body with it.
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)


def _describe_operation(
    doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_others: Any
) -> dict[str, Any]:
    """Problems, headers, security and limits of one operation; what the blueprint itself says wins."""
    operation_id = doc_info.get("manual_doc", {}).get("operationId", "")
    responses = doc.setdefault("responses", {})
    for status in COMMON_PROBLEMS + (UNSAFE_PROBLEMS if method in UNSAFE else ()):
        responses.setdefault(status, http.HTTPStatus(status).name)
    headers = ["ACCEPT_LANGUAGE"] + (["IDEMPOTENCY_KEY"] if method in UNSAFE else [])
    doc["parameters"] = [*doc.get("parameters", []), *headers]
    doc["security"] = [{"bearer": []}]
    limit = limits.for_operation(operation_id, method)
    # The docstring's description comes after the callbacks, so the limit is an extension of its own.
    doc["x-rate-limit"] = limit.document()
    return doc


class Api(flask_smorest.Api):
    """flask-smorest with our problem bodies in place of its errors; routes of the document are ours."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """`gateway.errors` answers instead."""

    def _register_responses(self) -> None:
        reference = {"schema": ProblemSchema}
        for status in http.HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                response["content"] = {PROBLEM_TYPE: reference}
                response["headers"] = _problem_headers(status)
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Any other problem", "content": {PROBLEM_TYPE: reference}}
        self.spec.components.response("DEFAULT_ERROR", default, lazy=True)


def _problem_headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    return headers


@dataclasses.dataclass(frozen=True)
class Operation:
    """What one operation takes, as its decorators declare it."""

    operation_id: str
    takes_json: bool = False
    takes_upload: bool = False
    takes_query: bool = False


class Operations:
    """Operations by (endpoint, method), for the hooks that run before a view."""

    def __init__(self) -> None:
        self._operations: dict[tuple[str, str], Operation] = {}

    def add_blueprint(self, blueprint: flask_smorest.Blueprint) -> None:
        for endpoint, documents in blueprint._docs.items():  # noqa: SLF001  the only record of what decorators declared
            for method, document in documents.items():
                if method != "parameters":
                    self._operations[f"{blueprint.name}.{endpoint}", method] = _operation(document)

    def find(self, endpoint: str | None, method: str) -> Operation | None:
        """The operation, or None for pages, health and unknown addresses."""
        known_as = "get" if method == "HEAD" else method.lower()
        return self._operations.get((endpoint or "", known_as))


def _operation(document: dict[str, Any]) -> Operation:
    parameters = document.get("arguments", {}).get("parameters", [])
    places = {parameter["in"] for parameter in parameters}
    operation_id = document.get("manual_doc", {}).get("operationId", "")
    return Operation(
        operation_id, "json" in places, bool(places & {"form", "files"}), bool(places & {"query", "querystring"})
    )


def create_api(app: Flask, base_url: str, catalogue: Catalogue) -> Api:
    """The document of `app`, still without operations."""
    app.config.update(API_TITLE="Yanxiu 研修", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    codes = {code: {language: catalogue.text(code, language) for language in LANGUAGES} for code in catalogue.codes()}
    api = Api(
        app,
        spec_kwargs={"info": {"description": DESCRIPTION}, "servers": [{"url": base_url}], "x-problem-codes": codes},
    )
    components = api.spec.components
    components.security_scheme(
        "bearer",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Access token of a sign-in."},
    )
    components.parameter("IDEMPOTENCY_KEY", "header", _IDEMPOTENCY_KEY)
    components.parameter("ACCEPT_LANGUAGE", "header", _ACCEPT_LANGUAGE)
    return api


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "description": "Makes a repetition harmless; made by the client and kept for retries. Without one the gateway makes its own.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 64, "pattern": r"^[A-Za-z0-9._:-]{8,64}$"},
}
_ACCEPT_LANGUAGE = {
    "name": "Accept-Language",
    "description": "Language of messages: zh (default) or en.",
    "schema": {"type": "string", "example": "en"},
}
