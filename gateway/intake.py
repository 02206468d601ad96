"""First look at every request: address, headers, query and body, before any view sees them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Request, g, request
from werkzeug.exceptions import HTTPException

from gateway.context import Call, call, gateway
from gateway.messages import choose_language
from gateway.openapi import Operation
from gateway.strict_json import is_clean, parse_object
from services.shared import ids, trace
from services.shared.errors import InvalidInput

MAX_BODY = 1024 * 1024
MAX_UPLOAD = 6 * 1024 * 1024
# Operations whose file may be larger: it is sealed and stored piece by piece.
LARGE_UPLOADS = {
    "upload_job": 25 * 1024 * 1024,
    "add_attachment": 11 * 1024 * 1024,
    "add_course_material": 11 * 1024 * 1024,
}
MAX_QUERY = 4096
MAX_HEADER = 8192
MAX_FORM_PARTS = 50
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._:-]{8,64}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def begin() -> None:
    """Give the request its number, deadline and language. Cannot fail: the error pages need what it sets."""
    seconds = gateway().settings.rpc_deadline_seconds
    g.call = Call(call_id=str(ids.new_id()), deadline=time.monotonic() + seconds)
    context = call()
    context.language = choose_language(request.accept_languages)
    context.traceparent = trace.child_of(request.headers.get("traceparent", ""))
    request_id = request.headers.get("X-Request-Id", "")
    context.request_id = request_id if REQUEST_ID.fullmatch(request_id) else ""


def check_address(req: Request) -> None:
    """Raises InvalidInput for a path, header or query that two readers could understand differently."""
    if not _is_clean_text(req.environ.get("PATH_INFO", "").encode("latin-1", "replace")):
        raise InvalidInput("shared.bad_path")
    for name, value in req.headers.items():
        if not are_clean_headers((value,)):
            raise InvalidInput("shared.bad_header", name)
    _check_query(req.query_string)


def are_clean_headers(values: Iterable[str]) -> bool:
    """Whether none of these values is too long or holds a control character."""
    return not any(len(value) > MAX_HEADER or _CONTROL.search(value) for value in values)


def _check_query(raw: bytes) -> None:
    if len(raw) > MAX_QUERY:
        raise InvalidInput("shared.bad_query")
    names: set[bytes] = set()
    for part in filter(None, raw.split(b"&")):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        name = unquote_to_bytes(name)
        if not _is_clean_text(name):
            raise InvalidInput("shared.bad_query")
        if not _is_clean_text(unquote_to_bytes(value)):
            raise InvalidInput("shared.bad_query", name.decode())
        if name in names:
            raise InvalidInput("shared.repeated_parameter", name.decode())
        names.add(name)


def _is_clean_text(raw: bytes) -> bool:
    try:
        return is_clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def check_operation(req: Request, operation: Operation) -> None:
    """Key, query names and body of a known operation. Raises InvalidInput."""
    context = call()
    key = req.headers.get("Idempotency-Key", "")
    if key and not IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidInput("shared.bad_header", "Idempotency-Key")
    context.idempotency_key = key
    if not operation.takes_query and req.args:
        raise InvalidInput("shared.unknown_field", next(iter(req.args)))
    _take_body(req, operation)


def _take_body(req: Request, operation: Operation) -> None:
    if "Transfer-Encoding" in req.headers and "wsgi.input_terminated" not in req.environ:
        # Behind such a server (eventlet's) the body would silently look empty.
        raise InvalidInput("shared.length_required", "Content-Length")
    if operation.takes_upload:
        _take_upload(req, LARGE_UPLOADS.get(operation.operation_id, MAX_UPLOAD))
        return
    # One byte more than allowed: without a Content-Length werkzeug cuts a body at the limit and says nothing.
    req.max_content_length = MAX_BODY + 1
    with _framing_checked():
        body = req.get_data(cache=True)
    if len(body) > MAX_BODY:
        raise InvalidInput("shared.too_large")
    if not body:
        return
    if not operation.takes_json:
        # Many clients send "{}" with each POST; anything more means that they expect it to be read.
        if body.strip() != b"{}":
            raise InvalidInput("shared.body_not_taken")
        return
    if req.mimetype != "application/json" or req.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise InvalidInput("shared.unsupported_media_type", "Content-Type")
    call().body = parse_object(body)


@contextlib.contextmanager
def _framing_checked() -> Iterator[None]:
    """Each server has its own exceptions for a body whose chunks or end are wrong; all of them are the sender's fault."""
    try:
        yield
    except HTTPException:
        raise
    except Exception as error:  # noqa: BLE001  servers share no base class
        raise InvalidInput("shared.bad_framing", "", type(error).__name__) from None


def _take_upload(req: Request, longest: int) -> None:
    req.max_content_length = longest
    req.max_form_parts = MAX_FORM_PARTS
    if req.mimetype != "multipart/form-data":
        raise InvalidInput("shared.unsupported_media_type", "Content-Type")
    with _framing_checked():
        texts: list[tuple[str, Any]] = [(name, value) for name, values in req.form.lists() for value in values]
    names = [name for name, _ in texts] + list(req.files)
    for name, value in texts:
        if not is_clean(value):
            raise InvalidInput("shared.json_text", name)
    if not all(map(is_clean, names)):
        raise InvalidInput("shared.bad_multipart")
