"""Access log and metrics. Routes appear as templates: a path or query may hold an id, a number or a name."""

from __future__ import annotations

import time

import structlog
from flask import Request, Response
from prometheus_client import Counter, Histogram

from gateway.context import call

log = structlog.get_logger("gateway.access")

requests = Histogram(
    "yanxiu_http_seconds",
    "Time to answer a request",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
problems = Counter("yanxiu_http_problems", "Refusals by code", ["code"])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_template(request: Request) -> str:
    """`/api/v1/schools/<uuid:school_id>`; one word for everything that is no route of ours."""
    return request.url_rule.rule if request.url_rule else "unmatched"


def record(response: Response, request: Request) -> None:
    """One log line and one measurement per request."""
    context = call()
    seconds = time.monotonic() - context.started
    # A made-up method would make a new time series each time.
    method = request.method if request.method in METHODS else "OTHER"
    count(method, route_template(request), response.status_code, seconds)
    if context.problem_code:
        problems.labels(context.problem_code).inc()
    log.info(
        "request",
        method=method,
        route=route_template(request),
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        call_id=context.call_id,
        request_id=context.request_id,
        trace=context.traceparent,
        code=context.problem_code,
        signed_in=context.actor.account_id is not None,
    )


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Add one answer to the figures."""
    requests.labels(method, route, str(status)).observe(seconds)
