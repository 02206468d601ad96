"""The one table from refusal to HTTP status, and the problem+json body (RFC 9457) that tells it.

Refusals keep their code; anything else is a defect: status 500, a fixed text and the call id, the traceback in the log.
"""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus

import structlog
from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from gateway.context import call, gateway
from gateway.faults import Fault, faults_of
from services.shared.errors import (
    Conflict,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
)

log = structlog.get_logger(__name__)

STATUS_OF_KIND: dict[type[ServiceError], int] = {
    InvalidInput: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    LimitReached: 429,
    Unavailable: 503,
}
# Where the code says more than its kind.
STATUS_OF_CODE: dict[str, int] = {
    "shared.sign_in_first": 401,
    "shared.token_invalid": 401,
    "shared.token_expired": 401,
    "shared.token_revoked": 401,
    "identity.sign_in_refused": 401,
    "identity.sign_in_again": 401,
    "shared.length_required": 411,
    "shared.too_large": 413,
    "shared.unsupported_media_type": 415,
    "shared.key_reused": 422,
    "shared.defect": 500,  # the service's: it has the traceback, we have the call id
    "shared.no_such_method": 503,  # an older service beside a newer gateway, during a deployment
    "shared.bad_actor_token": 500,  # ours, never the caller's: keys or clocks of two hosts disagree
    "shared.deadline": 504,
}
CODE_OF_STATUS: dict[int, str] = {
    400: "shared.bad_request",
    401: "shared.sign_in_first",
    403: "shared.not_allowed",
    404: "shared.not_found",
    405: "shared.method_not_allowed",
    406: "shared.not_acceptable",
    409: "shared.conflict",
    413: "shared.too_large",
    415: "shared.unsupported_media_type",
    429: "shared.limit_reached",
    503: "shared.unavailable",
    504: "shared.deadline",
}
# Seconds a client waits when the refusal does not say: a new try of a busy service, the window of most limits.
RETRY_AFTER = {429: 60, 503: 2}
_STATED_WAIT = re.compile(r"\bretry_after_seconds=(\d{1,6})\b")
LONGEST_FIELD = 200  # a path is built from the sender's own keys


@dataclasses.dataclass(frozen=True)
class Problem:
    """One answer that is not a success."""

    status: int
    code: str
    faults: tuple[Fault, ...] = ()
    retry_after: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


def install(app: Flask) -> None:
    app.register_error_handler(ServiceError, _on_refusal)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_defect)


def problem_of(error: ServiceError) -> Problem:
    """The problem that a service's refusal becomes."""
    status = STATUS_OF_CODE.get(error.code) or STATUS_OF_KIND[_kind(error)]
    stated = _STATED_WAIT.search(error.detail)
    wait = int(stated.group(1)) if stated else RETRY_AFTER.get(status)
    return Problem(status, error.code, faults_of(error), wait)


def _kind(error: ServiceError) -> type[ServiceError]:
    return next((kind for kind in STATUS_OF_KIND if isinstance(error, kind)), Unavailable)


def respond(problem: Problem) -> Response:
    """The problem as a response, in the reader's language."""
    context, texts = call(), gateway().catalogue
    context.problem_code = problem.code
    general = CODE_OF_STATUS.get(problem.status, "shared.bad_request")
    text = texts.text(problem.code, context.language, general)
    body = {
        "type": f"urn:yanxiu:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": text,
        "code": problem.code,
        "field": problem.faults[0].field[:LONGEST_FIELD] if problem.faults else "",
        "errors": [
            {
                "field": fault.field[:LONGEST_FIELD],
                "code": fault.code,
                "message": fault.message(texts, context.language),
            }
            for fault in problem.faults
        ],
        "call_id": context.call_id,
    }
    # A half surrogate in a sender's key must not turn a refusal into a defect: escaped, it is JSON again.
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    response = Response(data, problem.status, content_type="application/problem+json")
    response.headers.extend(problem.headers)
    response.headers["Content-Language"] = context.language
    if problem.status == 401:
        # RFC 6750: no error code where no token was sent.
        token_fault = ', error="invalid_token"' if problem.code.startswith("shared.token_") else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="yanxiu"{token_fault}'
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _on_refusal(error: ServiceError) -> Response:
    problem = problem_of(error)
    if problem.status >= 500:
        log.warning("refused", code=error.code, detail=error.detail, call_id=call().call_id)
    return respond(problem)


def _on_http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect
    if status >= 500 and status not in CODE_OF_STATUS:
        return _on_defect(error)
    kept = tuple((name, value) for name, value in error.get_headers() if name == "Allow")
    code = CODE_OF_STATUS.get(status, "shared.bad_request")
    return respond(Problem(status, code, (), RETRY_AFTER.get(status), kept))


def _on_defect(error: Exception) -> Response:
    log.error("defect", call_id=call().call_id, exc_info=error)
    return respond(Problem(500, "shared.defect"))
