"""The short way of an accepted study report: a nation that studies sends more of these than of everything else together.

It knows only yes. A request that it does not recognise at first sight, or would refuse, goes the ordinary way through
Flask, body and all, and is answered there: so every refusal has one place, and this one may be as narrow as it likes.
What it accepts has passed every check of the ordinary way (`tests/gateway/test_study_lane.py` holds the two together).
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gateway import auth, intake, observation, security
from gateway.schemas.learning import data_of_report
from gateway.study_reports import Taken, take
from services.learning import contract
from services.shared import clock, ids
from services.shared.errors import ServiceError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from gateway.auth import SignIn
    from gateway.context import Gateway

OPERATION = "report_segments"
ROUTE = "/api/v1/study-sessions/<uuid:study_session_id>/segments"
# What the broker refused after everything else was right; the ordinary way answers it and publishes nothing.
REFUSAL = "yanxiu.study_lane.refusal"
# Two hundred segments and two papers need a sixth of it.
LONGEST_BODY = 64 * 1024
NO_KEY = "-" * 8
_PATH = re.compile(r"/api/v1/study-sessions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/segments")


class StudyLane:
    """WSGI middleware before the application."""

    def __init__(self, ordinary: WSGIApplication, parts: Gateway) -> None:
        self._ordinary = ordinary
        self._parts = parts
        self._headers = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "private, no-store"),
            *security.api_headers(parts.settings).items(),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        if path is None or environ["REQUEST_METHOD"] != "POST" or not _is_plain(environ):
            return self._ordinary(environ, start_response)
        started = time.monotonic()
        body = _read(environ)
        try:
            taken = self._take(environ, uuid.UUID(path[1]), body)
        except ServiceError:
            taken = None
        if taken is None:
            return self._ordinary(environ, start_response)
        try:
            self._publish(taken, started)
        except ServiceError as refusal:
            environ[REFUSAL] = refusal
            return self._ordinary(environ, start_response)
        return self._answer(environ, start_response, taken, started)

    def _take(self, environ: WSGIEnvironment, study_session_id: uuid.UUID, body: bytes) -> Taken | None:
        """The report if it is good and its sender may report; None, or any refusal, for everything else."""
        report = _load(body)
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if report is None or scheme != "Bearer":
            return None
        parts, now = self._parts, clock.now()
        parts.revocations.start()
        sign_in = self._sign_in(token, report["play_token"], now)
        parts.revocations.refuse_revoked(sign_in)
        taken = take(study_session_id, sign_in.account_id, report, parts.study_papers, now)
        # Last, for what is refused is counted on the ordinary way.
        parts.limiter.count(OPERATION, "POST", auth.actor_of(sign_in, ""))
        return taken

    def _sign_in(self, access_token: str, play_token: str, now: dt.datetime) -> SignIn:
        """Of the voucher where it speaks of this access token; its signature need not be checked then."""
        sign_in = self._parts.study_papers.read_paper(play_token).sign_in_of(access_token)
        if sign_in is None:
            return self._parts.tokens.verify(access_token, now)
        auth.require_current(sign_in, now)
        return sign_in

    def _publish(self, taken: Taken, started: float) -> None:
        seconds = self._parts.settings.rpc_deadline_seconds - (time.monotonic() - started)
        self._parts.bus.publish(contract.STUDY_EXCHANGE, taken.shard, taken.message, ids.new_id_text(), seconds)

    def _answer(
        self, environ: WSGIEnvironment, start_response: StartResponse, taken: Taken, started: float
    ) -> Iterable[bytes]:
        headers = [*self._headers, ("Content-Length", str(len(taken.reply))), ("X-Call-Id", ids.new_id_text())]
        if key := environ.get("HTTP_IDEMPOTENCY_KEY"):
            headers.append(("Idempotency-Key", key))
        start_response("202 ACCEPTED", headers)
        observation.count("POST", ROUTE, 202, time.monotonic() - started)
        return [taken.reply]


def _is_plain(environ: WSGIEnvironment) -> bool:
    """Whether the request is framed and headed as our clients do it."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or not 0 < int(length) <= LONGEST_BODY or "HTTP_TRANSFER_ENCODING" in environ:
        return False
    if environ.get("QUERY_STRING") or environ.get("CONTENT_TYPE") != "application/json":
        return False
    # Whoever follows a request by its number or trace goes the way that logs it. The others stand in learning's raw
    # trail, each with its instant; a line for each would be most of all logs.
    if "HTTP_TRACEPARENT" in environ or "HTTP_X_REQUEST_ID" in environ:
        return False
    if not intake.IDEMPOTENCY_KEY.fullmatch(environ.get("HTTP_IDEMPOTENCY_KEY", NO_KEY)):
        return False
    return intake.are_clean_headers(value for name, value in environ.items() if name.startswith("HTTP_"))


def _read(environ: WSGIEnvironment) -> bytes:
    """The body, and the same again for the ordinary way. Nothing when the sender broke off: that is told there."""
    stream, length = environ["wsgi.input"], int(environ["CONTENT_LENGTH"])
    try:
        body: bytes = stream.read(length)
    except Exception:  # noqa: BLE001  servers share no base class; the ordinary way meets the same stream and says so
        return b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == length else b""


def _load(body: bytes) -> dict[str, Any] | None:
    """The report in `body`, or None for anything that could be read in two ways.

    The standard reader takes the last of two equal keys; here every text of ours is counted by its quotes.
    """
    if b"\\" in body:
        return None
    try:
        value = json.loads(body.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    report = data_of_report(value)
    if report is None:
        return None
    texts = len(report) + len(report.keys() & {"play_token", "receipt"}) + 2 * len(report["segments"])
    return report if body.count(b'"') == 2 * texts else None
