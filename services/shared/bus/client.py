"""Asking a service: a deadline always, a bounded pool, one connection per caller at a time, discarded on any error.

Works under real threads (the gateway) and greenlets (services). "No answer" means unknown: the caller may repeat, for
queries change nothing and commands carry a command id.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import structlog

from services.shared import errors, trace
from services.shared.bus import topology
from services.shared.bus.link import CONNECT_SECONDS, CONNECTION_ERRORS, Link, decode, encode
from services.shared.errors import Unavailable
from services.shared.settings import Settings

log = structlog.get_logger(__name__)

# Idle connections carry no heartbeat; one unused for longer may be half open, so it is replaced before it is trusted.
IDLE_SECONDS = 60
# With less than this left of the deadline a connection is still tried, for 0 would mean "no limit".
LEAST_CONNECT_SECONDS = 0.1
DIRECT_REPLY = "amq.rabbitmq.reply-to"


class DefectError(Exception):
    """The other side failed in a way that is its own fault; nothing of it crosses the wire but the call id."""


class NoAnswerError(Exception):
    """The deadline passed; the connection is sound."""


class RpcClient:
    """One connection for one caller at a time. After an exception it must be closed, never used again."""

    def __init__(self, uri: str, name: str, connect_seconds: float) -> None:
        # No heartbeat: an idle client has no loop to send one. Time-outs on every read and write stand in for it.
        self.link = Link(uri, name, heartbeat=0, connect_seconds=connect_seconds)
        self.last_used = time.monotonic()
        self._reply: dict[str, Any] | None = None
        self._awaited = ""
        self._returned = False
        try:
            self.reply_to = self._listen()
        except BaseException:
            self.close()
            raise

    def _listen(self) -> str:
        name = DIRECT_REPLY
        if self.link.in_memory:
            name = f"reply.{uuid.uuid4().hex}"
            self.link.channel.queue_declare(name)
        else:
            self.link.channel.events["basic_return"].add(self._on_return)
        self.link.consume([name], self._on_reply, no_ack=True)
        return name

    def _on_reply(self, message: Any) -> None:
        # A reply to an earlier call that ran out of time: nobody waits for it.
        if message.properties.get("correlation_id") == self._awaited:
            self._reply = decode(message)

    def _on_return(self, *_: Any) -> None:
        self._returned = True

    def call(self, service: str, body: dict[str, Any], headers: dict[str, Any], deadline: float) -> dict[str, Any]:
        """The reply's body. Raises NoAnswerError at the deadline, and CONNECTION_ERRORS as they come."""
        self.last_used = time.monotonic()
        self._reply, self._returned, self._awaited = None, False, uuid.uuid4().hex
        remaining = deadline - time.monotonic()
        self.link.publish(
            "",
            topology.rpc_queue(service),
            encode(body),
            persistent=False,
            mandatory=True,
            reply_to=self.reply_to,
            correlation_id=self._awaited,
            # kombu takes seconds here (nameko's documentation says milliseconds): nobody waits for it after that.
            expiration=max(remaining, 0.001),
            headers=headers,
        )
        while self._reply is None:
            if self._returned:
                raise Unavailable("shared.service_unavailable", "", service)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NoAnswerError
            self.link.drain(remaining)
        return self._reply

    def close(self) -> None:
        if self.link.in_memory:
            self.link.channel.queue_delete(self.reply_to)
        self.link.close()


class ClientPool:
    """At most `size` callers at once; a caller waits for a free connection no longer than its deadline."""

    def __init__(self, settings: Settings, name: str, size: int = 16) -> None:
        self._uri = settings.amqp_uri
        self._default_seconds = settings.rpc_deadline_seconds
        self._name = name
        self._idle: queue.LifoQueue[RpcClient] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(size)

    def call(
        self,
        service: str,
        method: str,
        arguments: dict[str, Any],
        *,
        actor_token: str,
        command_id: str | None = None,
        timeout: float | None = None,
        call_id: str = "",
    ) -> Any:
        """The result of a query, or of a command when `command_id` is given.

        Raises the ServiceError that the service answered; Unavailable("shared.deadline") when time ran out,
        Unavailable("shared.broker_unavailable") when the broker is away, Unavailable("shared.busy") when every
        connection is taken; DefectError for the service's own failure.
        """
        deadline = time.monotonic() + (self._default_seconds if timeout is None else timeout)
        body = {"method": method, "arguments": arguments}
        headers = {
            "actor": actor_token,
            # Wall time: the deadline crosses hosts. Their clocks keep NTP; a second of skew only shortens or lengthens it.
            "deadline": f"{time.time() + deadline - time.monotonic():.3f}",
            "call_id": call_id,
            "traceparent": trace.current(),
        }
        if command_id is not None:
            headers["command_id"] = command_id
        return _result(self._ask(service, body, headers, deadline))

    def _ask(self, service: str, body: dict[str, Any], headers: dict[str, Any], deadline: float) -> dict[str, Any]:
        # A second try only for a connection that broke: both kinds of call are safe to repeat, and a pooled connection
        # may have died since it was last used.
        for attempt in (1, 2):
            try:
                with self._client(deadline) as client:
                    return client.call(service, body, headers, deadline)
            except NoAnswerError:
                raise Unavailable("shared.deadline", "", service) from None
            except CONNECTION_ERRORS as error:
                log.warning("rpc_connection_lost", service=service, error=type(error).__name__, attempt=attempt)
                if attempt == 2 or time.monotonic() >= deadline:
                    raise Unavailable("shared.broker_unavailable", "", type(error).__name__) from error
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _client(self, deadline: float) -> Iterator[RpcClient]:
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Unavailable("shared.busy")
        client = None
        try:
            client = self._idle_client() or self._new_client(deadline)
            yield client
            self._idle.put(client)
        except (NoAnswerError, Unavailable):
            # The connection is sound, only the answer is missing; a late one is recognised and dropped.
            if client is not None:
                self._idle.put(client)
            raise
        except BaseException:
            if client is not None:
                client.close()
            raise
        finally:
            self._slots.release()

    def _new_client(self, deadline: float) -> RpcClient:
        remaining = deadline - time.monotonic()
        return RpcClient(self._uri, self._name, min(CONNECT_SECONDS, max(remaining, LEAST_CONNECT_SECONDS)))

    def _idle_client(self) -> RpcClient | None:
        while True:
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                return None
            if client.link.in_memory or time.monotonic() - client.last_used < IDLE_SECONDS:
                return client
            client.close()

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return


def _result(reply: dict[str, Any]) -> Any:
    error = reply.get("error")
    if error is None:
        return reply.get("result")
    if error.get("kind") == "defect":
        raise DefectError(error.get("code", ""))
    raise errors.from_wire(error)
