"""Consuming with care: one greenlet owns the connection, workers only settle their messages through it.

It reconnects for ever, keeps the connection (and its heartbeats) until the last worker has finished, and never hands a
message back while its work may still commit. This replaces nameko's queue consumer, which closes the connection first.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from services.shared.bus.link import CONNECTION_ERRORS, HEARTBEAT_SECONDS, Link

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5)
TICK_SECONDS = 0.25


class Delivery:
    """One raw message, and the only way to settle it. Settling after the connection is gone does nothing: the broker
    delivers the message again, and the inbox or the idempotency row makes that harmless."""

    __slots__ = ("_open", "listener", "message")

    def __init__(self, listener: Listener, message: Any) -> None:
        self.listener = listener
        self._open = True
        self.message = message

    def acknowledge(self) -> None:
        self._settle(self.message.ack)

    def refuse(self) -> None:
        """To the dead-letter queue."""
        self._settle(self.message.reject)

    def give_back(self) -> None:
        """To its queue, for another process."""
        self._settle(self.message.requeue)

    def _settle(self, how: Callable[[], None]) -> None:
        if self._open:
            self._open = False
            self.listener.settle(self, how)


class Listener:
    """Consumes `queues` and calls `on_delivery(delivery)` for each message, in the greenlet of `run`.

    `on_delivery` must not block: it hands the work to a worker. `on_tick` is called a few times a second.
    """

    def __init__(
        self,
        name: str,
        uri: str,
        queues: list[str],
        prefetch: int,
        on_delivery: Callable[[Delivery], None],
        *,
        before_consuming: Callable[[Link], None] | None = None,
        on_tick: Callable[[], None] | None = None,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self.name = name
        self.link: Link | None = None
        self.connected = threading.Event()
        self._uri = uri
        self._queues = queues
        self._prefetch = prefetch
        self._on_delivery = on_delivery
        self._before_consuming = before_consuming
        self._on_tick = on_tick
        self._tick_seconds = tick_seconds
        self._unsettled: set[Delivery] = set()
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        """Consume until `stop()`; never raises for a broken connection."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    self._consume_once()
                    failures = 0
                except Exception as error:
                    if self.connected.is_set():
                        failures = 0
                    pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                    failures += 1
                    known = isinstance(error, CONNECTION_ERRORS)
                    log.warning("listener_lost", listener=self.name, error=type(error).__name__, exc_info=not known)
                    self._forget()
                    self._stopping.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
        finally:
            self._forget()
            self._stopped.set()

    def _consume_once(self) -> None:
        self.link = Link(self._uri, self.name)
        if self._before_consuming:
            self._before_consuming(self.link)
        consumer = self.link.consume(self._queues, self._take, prefetch=self._prefetch)
        self.connected.set()
        next_beat = 0.0
        cancelled = False
        while not (self._stopping.is_set() and not self._unsettled):
            if self._stopping.is_set() and not cancelled:
                # No new work, but the connection stays until the running work has been acknowledged.
                consumer.cancel()
                cancelled = True
            self.link.drain(self._tick_seconds)
            if self._on_tick:
                self._on_tick()
            if (now := time.monotonic()) >= next_beat:
                self.link.beat()
                next_beat = now + HEARTBEAT_SECONDS / 4

    def _take(self, message: Any) -> None:
        delivery = Delivery(self, message)
        self._unsettled.add(delivery)
        if self._stopping.is_set():
            delivery.give_back()
            return
        self._on_delivery(delivery)

    def settle(self, delivery: Delivery, how: Callable[[], None]) -> None:
        if delivery not in self._unsettled:
            return
        try:
            how()
        except CONNECTION_ERRORS as error:
            log.warning("message_not_settled", listener=self.name, error=type(error).__name__)
        finally:
            self._unsettled.discard(delivery)

    def reply(self, routing_key: str, body: bytes, correlation_id: str) -> None:
        """Publish on the listener's own connection, unconfirmed (replies: a lost one is a time-out for its asker)."""
        link = self.link
        if link is None:
            return
        try:
            link.publish("", routing_key, body, persistent=False, correlation_id=correlation_id)
        except CONNECTION_ERRORS as error:
            log.warning("reply_not_sent", listener=self.name, error=type(error).__name__)

    def _forget(self) -> None:
        self.connected.clear()
        # Deliveries of a dead connection cannot be settled; the broker has them back already.
        self._unsettled.clear()
        if self.link is not None:
            self.link.close()
            self.link = None

    def cancel(self) -> None:
        """Take no new messages."""
        self._stopping.set()

    def stop(self, timeout: float) -> bool:
        """Take no new messages and wait for the running ones; whether all were settled in time."""
        self._stopping.set()
        return self._stopped.wait(timeout)
