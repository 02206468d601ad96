"""How a view reaches a service: one question or one command, as the request's actor, before the request's deadline."""

from __future__ import annotations

import time
from typing import Any

from flask import request

from gateway.auth import actor_token
from gateway.context import call, gateway
from services.shared import ids, trace
from services.shared.errors import Unavailable

# What is left must reach the service and come back; less only makes a zombie (reliability.md d20).
LEAST_SECONDS = 0.05
# What is only done beside a view's own question may take no more of its time.
BESIDE_SECONDS = 1.0


def ask(service: str, method: str, arguments: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
    """The reply of a query. Raises the service's refusal, or Unavailable; both become problem+json by themselves.

    `token` is for the few questions that the gateway asks as itself; otherwise the request's actor asks.
    """
    return _call(service, method, arguments or {}, None, token)


def tell(service: str, method: str, arguments: dict[str, Any] | None = None, *, step: str = "") -> dict[str, Any]:
    """The reply of a command, sent with the request's Idempotency-Key.

    A view that tells the same service twice names the second `step`, because one key belongs to one command.
    """
    return _call(service, method, arguments or {}, command_id(step))


def tell_beside(service: str, method: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The reply of a command that a view sends of its own accord: harmless to repeat, so it takes no key of the client's.

    None when the service does not answer: the view goes on without it, and with most of its time.
    """
    try:
        return _call(service, method, arguments, str(ids.new_id()), seconds=min(_time_left(), BESIDE_SECONDS))
    except Unavailable:
        return None


def command_id(step: str = "") -> str:
    """The request's Idempotency-Key, made here when the client sent none; the answer's header then tells it."""
    context = call()
    if not context.idempotency_key:
        context.idempotency_key = str(ids.new_id())
    return f"{context.idempotency_key}/{step}" if step else context.idempotency_key


def publish_confirmed(exchange: str, routing_key: str, body: dict[str, Any], message_id: str = "") -> None:
    """Hand `body` to the broker and return once it is safe there.

    Raises Unavailable when the broker is full, late or gone; the message may have arrived all the same.
    """
    with trace.span(call().traceparent):
        gateway().bus.publish(exchange, routing_key, body, message_id or str(ids.new_id()), _time_left())


def extend_deadline(seconds: float) -> None:
    """Give this request `seconds` from its start: only for uploads and documents."""
    context = call()
    context.deadline = max(context.deadline, context.started + seconds)


def _call(
    service: str, method: str, arguments: dict[str, Any], key: str | None, token: str = "", seconds: float | None = None
) -> dict[str, Any]:
    context = call()
    with trace.span(context.traceparent):
        return gateway().bus.call(
            service,
            method,
            arguments,
            actor_token=token or actor_token(service),
            command_id=key,
            timeout=_time_left() if seconds is None else seconds,
            call_id=context.call_id,
        )


def _time_left() -> float:
    """Seconds until the request's deadline. Raises Unavailable when too few are left to be of use."""
    seconds = call().deadline - time.monotonic()
    if seconds < LEAST_SECONDS:
        raise Unavailable("shared.deadline", "", f"no time left for {request.endpoint}")
    return seconds
