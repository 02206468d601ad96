"""Publishing with confirms, many in flight: a message counts as sent when the broker has it, and never before.

A blocking confirm per message costs three to six times the CPU of a hundred in flight (`performance.md` §2a).
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Any

import structlog

from services.shared.bus.link import CONNECTION_ERRORS, HEARTBEAT_SECONDS, Link, encode
from services.shared.bus.sleeper import Sleep, Sleeper
from services.shared.errors import Unavailable
from services.shared.settings import Settings

log = structlog.get_logger(__name__)

CONFIRM_SECONDS = 10
IN_FLIGHT = 200
# A confirm is there when it is read; of one whose end is still on its way the connection keeps the beginning.
CONFIRM_READ_SECONDS = 0.005
QUEUE_LENGTH = 2000


class NotConfirmedError(Exception):
    """The broker did not answer in time whether it has a message."""


class ConfirmingLink:
    """A link whose publications are confirmed; one greenlet or thread at a time."""

    def __init__(self, uri: str, name: str) -> None:
        self.link = Link(uri, name)
        self.unconfirmed: dict[int, Any] = {}
        self._tag = 0
        self._returned: set[str] = set()
        self._decided: list[tuple[Any, bool]] = []
        if not self.link.in_memory:
            channel = self.link.channel
            channel.confirm_select()
            channel.events["basic_ack"].add(self._on_ack)
            channel.events["basic_nack"].add(self._on_nack)
            channel.events["basic_return"].add(self._on_return)

    def publish(self, exchange: str, routing_key: str, body: bytes, message_id: str, token: Any) -> None:
        """Send one message; `settle()` will tell what became of `token`. Raises CONNECTION_ERRORS."""
        self._tag += 1
        if not self.link.in_memory:
            self.unconfirmed[self._tag] = (token, message_id)
        self.link.publish(exchange, routing_key, body, persistent=True, mandatory=True, message_id=message_id)
        if self.link.in_memory:
            self._decided.append((token, True))

    def wait(self, timeout: float) -> None:
        """Wait until the broker has decided about everything. Raises NotConfirmedError when time runs out."""
        deadline = time.monotonic() + timeout
        while self.unconfirmed:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NotConfirmedError("no confirm in time")
            self.link.drain(remaining)

    def settle(self) -> list[tuple[Any, bool]]:
        """(token, whether it arrived) of the messages decided since the last call."""
        decided, self._decided = self._decided, []
        return decided

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self._decide(delivery_tag, multiple, confirmed=True)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self._decide(delivery_tag, multiple, confirmed=False)

    def _on_return(self, _error: Any, _exchange: str, _key: str, message: Any) -> None:
        # The return comes before its confirm, which only says that the broker has dealt with the message.
        self._returned.add(message.properties.get("message_id", ""))

    def _decide(self, delivery_tag: int, multiple: bool, *, confirmed: bool) -> None:
        tags = [tag for tag in self.unconfirmed if tag <= delivery_tag] if multiple else [delivery_tag]
        for tag in tags:
            token, message_id = self.unconfirmed.pop(tag)
            arrived = confirmed and message_id not in self._returned
            self._returned.discard(message_id)
            self._decided.append((token, arrived))

    def close(self) -> None:
        self.link.close()


class _Publication:
    """What a request thread waits for."""

    __slots__ = ("arrived", "body", "decided", "exchange", "message_id", "routing_key")

    def __init__(self, exchange: str, routing_key: str, body: bytes, message_id: str) -> None:
        self.exchange = exchange
        self.routing_key = routing_key
        self.body = body
        self.message_id = message_id
        self.decided = threading.Event()
        self.arrived = False

    def decide(self, arrived: bool) -> None:
        self.arrived = arrived
        self.decided.set()


class ConfirmedPublisher:
    """One publishing thread for all request threads of a process; its queue is bounded, so overload shows as 503."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._uri = settings.amqp_uri
        self._name = name
        self._waiting: queue.Queue[_Publication | None] = queue.Queue(QUEUE_LENGTH)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._confirm_by = 0.0
        self._sleep = Sleeper()

    def publish(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str, timeout: float) -> None:
        """Return when the broker has the message.

        Raises Unavailable("shared.busy") when the queue is full, Unavailable("shared.broker_unavailable") when the broker
        refuses it or does not confirm in time; it may have arrived all the same, so a repetition must be harmless.
        """
        # Encoded here: what is no JSON must fail in its own request and not in the thread of all.
        publication = _Publication(exchange, routing_key, encode(body), message_id)
        self._ensure_thread()
        try:
            self._waiting.put_nowait(publication)
        except queue.Full:
            raise Unavailable("shared.busy") from None
        self._sleep.wake()
        if not publication.decided.wait(timeout) or not publication.arrived:
            raise Unavailable("shared.broker_unavailable")

    def _ensure_thread(self) -> None:
        # Started by the first request, so after a gunicorn worker has forked.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            publication = self._waiting.get()
            if publication is None:
                return
            try:
                link = ConfirmingLink(self._uri, self._name)
            except CONNECTION_ERRORS as error:
                log.warning("publisher_cannot_connect", error=type(error).__name__)
                self._refuse([publication])
                continue
            try:
                self._publish_all(link, publication)
                return
            except (*CONNECTION_ERRORS, NotConfirmedError) as error:
                log.warning("publisher_connection_lost", error=type(error).__name__)
                self._refuse([token for token, _ in link.unconfirmed.values()])
            finally:
                link.close()

    def _publish_all(self, link: ConfirmingLink, first: _Publication) -> None:
        """Publish what comes, until told to stop. Raises what a broken connection raises."""
        publication: Any = first
        with self._sleep.beside(link.link) as sleep:
            while publication is not _STOP:
                if publication is not None:
                    self._send(link, publication)
                publication = self._next(link, sleep)

    def _send(self, link: ConfirmingLink, publication: _Publication) -> None:
        if not link.unconfirmed:
            self._confirm_by = time.monotonic() + CONFIRM_SECONDS
        try:
            link.publish(
                publication.exchange, publication.routing_key, publication.body, publication.message_id, publication
            )
        except CONNECTION_ERRORS:
            publication.decide(False)
            raise
        if link.link.in_memory:
            link.settle()
            publication.decide(True)

    def _next(self, link: ConfirmingLink, sleep: Sleep) -> Any:
        """The next publication; None after a look at the confirms or a quiet time, _STOP to stop."""
        has_room = len(link.unconfirmed) < IN_FLIGHT
        if has_room:
            with contextlib.suppress(queue.Empty):
                return self._waiting.get_nowait() or _STOP
        # Without room only the broker is waited for.
        nothing_to_send = self._waiting.empty if has_room else _always
        if sleep(HEARTBEAT_SECONDS / 2, nothing_to_send):
            link.link.drain(CONFIRM_READ_SECONDS)
            self._confirm_by = time.monotonic() + CONFIRM_SECONDS
            for token, arrived in link.settle():
                token.decide(arrived)
        elif link.unconfirmed and time.monotonic() > self._confirm_by:
            raise NotConfirmedError("no confirm in time")
        elif self._waiting.empty():
            link.link.beat()
        return None

    @staticmethod
    def _refuse(publications: list[_Publication]) -> None:
        for publication in publications:
            publication.decide(False)

    def close(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._sleep.wake()
            self._thread.join(CONFIRM_SECONDS)


def _always() -> bool:
    return True


_STOP = object()
