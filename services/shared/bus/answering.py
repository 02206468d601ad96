"""Requests: from a raw message to a reply. A message that is no request goes to the dead-letter queue and kills nobody."""

from __future__ import annotations

import time
from typing import Any

import structlog

from services.shared import metrics, trace
from services.shared.actor import ActorVerifier
from services.shared.bus import dispatch, topology
from services.shared.bus.hosting import Host
from services.shared.bus.link import BadBodyError, decode, encode
from services.shared.bus.listener import Delivery
from services.shared.errors import NotAllowed, to_wire

log = structlog.get_logger(__name__)


class Requests:
    """Answers the queries and commands of one service."""

    def __init__(self, host: Host, verifier: ActorVerifier) -> None:
        self._host = host
        self._verifier = verifier

    def on_delivery(self, delivery: Delivery) -> None:
        message = delivery.message
        reply_to, correlation_id = message.properties.get("reply_to"), message.properties.get("correlation_id")
        try:
            body = decode(message)
            method = str(body["method"])
            deadline = time.monotonic() + float(message.headers["deadline"]) - time.time()
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            self._set_aside(delivery, type(error).__name__)
            return
        if not reply_to:
            # Nobody could hear the answer; stock nameko dies of it, at each restart again.
            self._set_aside(delivery, "no_reply_to")
            return
        if deadline - time.monotonic() < dispatch.MINIMUM_REMAINING_SECONDS or _is_stale_query(message):
            metrics.expired_requests.labels(self._host.name).inc()
            delivery.acknowledge()
            return

        def job(service: Any) -> None:
            try:
                with trace.span(str(message.headers.get("traceparent", ""))):
                    reply = self._answer(service, method, body, message.headers, deadline)
                # Replies leave by the connection that the request came by.
                delivery.listener.reply(reply_to, self._encode_reply(reply, method), correlation_id)
            finally:
                delivery.acknowledge()

        self._host.container.spawn_job(job)

    def _answer(
        self, service: Any, method: str, body: dict[str, Any], headers: dict[str, Any], deadline: float
    ) -> dict[str, Any]:
        try:
            # The only header that says who asks; nothing else of the message reaches the service.
            actor = self._verifier.verify(str(headers.get("actor", "")), self._host.name)
        except NotAllowed as error:
            return {"error": to_wire(error)}
        command_id = headers.get("command_id")
        return dispatch.answer(
            service,
            method,
            body.get("arguments"),
            actor,
            command_id=str(command_id) if command_id else None,
            deadline=deadline,
            call_id=str(headers.get("call_id", "")),
        )

    def _encode_reply(self, reply: dict[str, Any], method: str) -> bytes:
        try:
            return encode(reply)
        except (TypeError, ValueError):
            # Our own mistake; say so at once rather than let the caller wait for its deadline.
            log.exception("reply_is_not_json", service=self._host.name, method=method)
            return encode({"error": dispatch.DEFECT})

    def _set_aside(self, delivery: Delivery, why: str) -> None:
        """Put a message that is no request into the dead-letter queue; its content is never logged."""
        queue = topology.rpc_queue(self._host.name)
        metrics.refused_messages.labels(queue, why).inc()
        log.warning("message_refused", queue=queue, why=why)
        link = delivery.listener.link
        body = delivery.message.body
        if link is not None and not link.in_memory:
            # Not by rejecting: requests whose time ran out would be dead-lettered by the same rule.
            raw = body.encode() if isinstance(body, str) else bytes(body)
            link.publish(topology.DEAD, queue, raw, persistent=True, headers={"why": why})
        delivery.acknowledge()


def _is_stale_query(message: Any) -> bool:
    """Whether this is a redelivered question; a redelivered command answers from its idempotency row instead."""
    return bool(message.delivery_info.get("redelivered")) and not message.headers.get("command_id")
