"""One connection to the broker with the time-outs that nameko leaves out, used by one greenlet or thread at a time.

Acknowledgements and replies may come from other greenlets: py-amqp writes each frame under a lock.
"""

from __future__ import annotations

import json
import math
import re
import socket
from collections.abc import Callable
from typing import Any

import kombu
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError

from services.shared.bus import memory

CONNECT_SECONDS = 5
# A frozen broker must not hold a writer: the kernel gives up on unacknowledged bytes after this.
WRITE_SECONDS = 10
HEARTBEAT_SECONDS = 10
# No message of ours is larger; what is must not be parsed.
MAX_BODY_BYTES = 4 * 1024 * 1024

# What a broken connection raises, in all its variety.
CONNECTION_ERRORS = (AMQPError, KombuError, OSError)


# The escape of NUL, not preceded by an escaped backslash's second half.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BadBodyError(Exception):
    """A body that is not one of ours. The text says why and holds nothing of the body."""


class Link:
    """A connection and one channel; `close()` never raises."""

    def __init__(
        self, uri: str, name: str, *, heartbeat: float = HEARTBEAT_SECONDS, connect_seconds: float = CONNECT_SECONDS
    ) -> None:
        self.in_memory = uri.startswith("memory:")
        if self.in_memory:
            self.connection = kombu.Connection(transport=memory.Transport)
        else:
            self.connection = kombu.Connection(
                uri,
                heartbeat=heartbeat,
                connect_timeout=connect_seconds,
                transport_options={
                    "write_timeout": WRITE_SECONDS,
                    "socket_settings": {socket.TCP_USER_TIMEOUT: WRITE_SECONDS * 1000},
                    "client_properties": {"connection_name": name},
                },
            )
        try:
            # Not `connect()`: that tries twice with a pause between, so three times as long as was asked for.
            self.connection.ensure_connection(max_retries=0)
            self.channel = self.connection.channel()
        except BaseException:
            self.close()
            raise
        self.producer = kombu.Producer(self.channel, auto_declare=False)

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        persistent: bool,
        mandatory: bool = False,
        **properties: Any,
    ) -> None:
        self.producer.publish(
            body,
            exchange=exchange,
            routing_key=routing_key,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2 if persistent else 1,
            mandatory=mandatory and not self.in_memory,
            retry=False,
            **properties,
        )

    def consume(
        self, queues: list[str], on_message: Callable[[Any], None], *, prefetch: int = 0, no_ack: bool = False
    ) -> Any:
        """Consume raw messages; the caller decodes. The queues must exist."""
        if prefetch:
            self.channel.basic_qos(0, prefetch * len(queues) if self.in_memory else prefetch, False)
        consumer = kombu.Consumer(
            self.channel,
            queues=[kombu.Queue(name, no_declare=True) for name in queues],
            on_message=on_message,
            auto_declare=False,
            no_ack=no_ack,
        )
        consumer.consume()
        return consumer

    def drain(self, timeout: float) -> bool:
        """Handle what arrives within `timeout` seconds; whether anything did."""
        try:
            self.connection.drain_events(timeout=max(timeout, 0.001))
            return True
        except TimeoutError:
            return False

    @property
    def socket(self) -> Any:
        """What to wait at for the broker; none in memory."""
        return self.connection.connection.transport.sock

    def has_read_ahead(self) -> bool:
        """Whether TLS holds something that the socket no longer shows."""
        pending = getattr(self.socket, "pending", None)
        return pending is not None and pending() > 0

    def beat(self) -> None:
        """Send a heartbeat when one is due; raises when the broker has been silent for too long."""
        if not self.in_memory:
            self.connection.heartbeat_check()

    def close(self) -> None:
        try:
            if self.in_memory:
                self.connection.release()
            else:
                # Not `release`: it waits for a frozen broker's answer.
                self.connection.collect(socket_timeout=1)
        except Exception:  # noqa: BLE001,S110  closing a broken connection may raise anything, and nothing follows from it
            pass


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(body: dict[str, Any]) -> bytes:
    return _encode(body).encode()


def decode(message: Any) -> dict[str, Any]:
    """The JSON object in a raw message.

    Raises BadBodyError for anything else. The standard decoder is used on purpose: kombu's own would build objects from
    `__type__` keys, and accepts other formats by header.
    """
    body = message.body
    if isinstance(body, str):
        body = body.encode()
    if len(body) > MAX_BODY_BYTES:
        raise BadBodyError("too large")
    try:
        decoded = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
        if b"\\u" in body:
            _require_storable(body, decoded)
    except (ValueError, RecursionError) as error:
        raise BadBodyError(type(error).__name__) from None
    if not isinstance(decoded, dict):
        raise BadBodyError("not an object")
    return decoded


def _require_storable(body: bytes, decoded: Any) -> None:
    """Raise ValueError for what escapes can smuggle in and neither UTF-8 nor a table can hold."""
    if _NUL.search(body):
        raise ValueError("NUL")
    json.dumps(decoded, ensure_ascii=False).encode()  # halves of surrogate pairs


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number
