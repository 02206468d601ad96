"""The real bus behind `gateway.context.Bus`: a pool of callers, one confirmed publisher, a listener; made on first use."""

from __future__ import annotations

import importlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.shared.errors import Unavailable

if TYPE_CHECKING:
    from services.shared.bus.client import ClientPool
    from services.shared.bus.publisher import ConfirmedPublisher
    from services.shared.settings import Settings

# One connection per request thread that can be waiting at once (`deploy/`: gunicorn's --threads).
POOL_SIZE = 32
CHECK_SECONDS = 5.0  # a probe each second must not open a connection each second
IDLE_SECONDS = 1.0


class RealBus:
    """Lazy on purpose: gunicorn loads the application, then forks, and a connection must not cross the fork."""

    def __init__(self, settings: Settings) -> None:
        # kombu replaces its own module while it is imported: two threads that import it first, at once, may get the
        # unfinished one ("module 'kombu' has no attribute 'Connection'"). So it is imported here, before any thread is.
        importlib.import_module("services.shared.bus.link")
        self._settings = settings
        self._lock = threading.Lock()
        self._process = 0
        self._pool: ClientPool | None = None
        self._publisher: ConfirmedPublisher | None = None
        self._checked_at = float("-inf")

    def call(self, service: str, method: str, arguments: dict[str, Any], **options: Any) -> Any:
        return self._open()[0].call(service, method, arguments, **options)

    def publish(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str, timeout: float) -> None:
        self._open()[1].publish(exchange, routing_key, body, message_id, timeout)

    def listen(
        self,
        event_type: str,
        on_connected: Callable[[], None],
        on_message: Callable[[dict[str, Any]], None],
        on_idle: Callable[[], None],
    ) -> None:
        from services.shared.bus import topology
        from services.shared.bus.link import HEARTBEAT_SECONDS, Link, decode

        link = Link(self._settings.amqp_uri, f"gateway-{os.getpid()}-listener")
        try:
            queue = f"gateway.{uuid.uuid4().hex}"
            # Exclusive: it goes with the connection. What it misses meanwhile, the list asked for on connecting makes good.
            link.channel.queue_declare(queue, exclusive=True, auto_delete=True)
            link.channel.queue_bind(queue, topology.EVENTS, event_type)
            link.consume([queue], lambda message: on_message(decode(message)["payload"]), no_ack=True)
            on_connected()
            beat_at = 0.0
            while True:
                link.drain(IDLE_SECONDS)
                if (now := time.monotonic()) >= beat_at:
                    link.beat()
                    beat_at = now + HEARTBEAT_SECONDS / 4
                on_idle()
        finally:
            link.close()

    def check(self) -> None:
        from services.shared.bus.link import CONNECTION_ERRORS, Link

        if time.monotonic() - self._checked_at < CHECK_SECONDS:
            return
        try:
            Link(self._settings.amqp_uri, f"gateway-{os.getpid()}-check").close()
        except CONNECTION_ERRORS as error:
            raise Unavailable("shared.broker_unavailable", "", type(error).__name__) from None
        self._checked_at = time.monotonic()

    def _open(self) -> tuple[ClientPool, ConfirmedPublisher]:
        with self._lock:
            if self._process != os.getpid():
                from services.shared.bus.client import ClientPool
                from services.shared.bus.publisher import ConfirmedPublisher

                self._pool = ClientPool(self._settings, f"gateway-{os.getpid()}", POOL_SIZE)
                self._publisher = ConfirmedPublisher(self._settings, f"gateway-{os.getpid()}-publisher")
                self._process = os.getpid()
            assert self._pool is not None
            assert self._publisher is not None
            return self._pool, self._publisher
