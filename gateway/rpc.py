"""How a view reaches a service: one question or one command, as the request's actor, before the request's deadline."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from flask import request

from gateway.auth import actor_token
from gateway.context import call, gateway
from services.shared import ids, trace
from services.shared.errors import Unavailable

# What is left must reach the service and come back; less only makes a zombie (reliability.md d20).
LEAST_SECONDS = 0.05


def ask(service: str, method: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """The reply of a query. Raises the service's refusal, or Unavailable; both become problem+json by themselves."""
    return _call(service, method, arguments or {}, None)


def tell(service: str, method: str, arguments: dict[str, Any] | None = None, *, step: str = "") -> dict[str, Any]:
    """The reply of a command, sent with the request's Idempotency-Key.

    A view that tells the same service twice names the second `step`, because one key belongs to one command.
    """
    return _call(service, method, arguments or {}, command_id(step))


def command_id(step: str = "") -> str:
    """The request's Idempotency-Key, made here when the client sent none; the answer's header then tells it."""
    context = call()
    if not context.idempotency_key:
        context.idempotency_key = str(ids.new_id())
    return f"{context.idempotency_key}/{step}" if step else context.idempotency_key


def publish_confirmed(exchange: str, routing_key: str, body: dict[str, Any]) -> None:
    """Hand `body` to the broker and return once it is safe there. Raises Unavailable when it is full, late or gone."""
    context = call()
    _time_left(context.deadline)
    with trace.span(context.traceparent):
        gateway().bus.publish(exchange, routing_key, body, deadline=context.deadline)


@contextlib.contextmanager
def longer_deadline(seconds: float) -> Iterator[None]:
    """Give this request `seconds` from its start: only for uploads and documents, and below gunicorn's time-out."""
    context = call()
    context.deadline = max(context.deadline, context.started + seconds)
    yield


def _call(service: str, method: str, arguments: dict[str, Any], key: str | None) -> dict[str, Any]:
    context = call()
    _time_left(context.deadline)
    with trace.span(context.traceparent) as traceparent:
        return gateway().bus.call(
            service,
            method,
            arguments,
            actor_token=actor_token(service),
            command_id=key,
            deadline=context.deadline,
            headers={"call_id": context.call_id, "traceparent": traceparent},
        )


def _time_left(deadline: float) -> None:
    if deadline - time.monotonic() < LEAST_SECONDS:
        raise Unavailable("shared.deadline", "", f"no time left for {request.endpoint}")
