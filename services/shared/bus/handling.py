"""Events and stream messages: from a raw message to a commit, held through an outage, and acknowledged after it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog

from services.shared import metrics, trace
from services.shared.bus import dispatch, topology
from services.shared.bus.calls import BatchConsumer, Event, Message
from services.shared.bus.hosting import Host
from services.shared.bus.link import BadBodyError, decode
from services.shared.bus.listener import Delivery
from services.shared.database import is_outage

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 10.0


class Events:
    """The single-event handlers of one process; `by_type` tells the method of each event type."""

    def __init__(self, host: Host, by_type: dict[str, str]) -> None:
        self._host = host
        self._by_type = by_type

    def on_delivery(self, delivery: Delivery) -> None:
        try:
            body = decode(delivery.message)
            event = Event.from_wire(body)
            method = self._by_type[event.type]
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            refuse(delivery, topology.events_queue(self._host.name), error)
            return

        def job(service: Any) -> None:
            with trace.span(str(body.get("trace", ""))):
                hold(self._host, lambda: self._apply(service, method, event, delivery), [delivery])

        self._host.container.spawn_job(job)

    def _apply(self, service: Any, method: str, event: Event, delivery: Delivery) -> list[Delivery]:
        try:
            dispatch.apply_event_or_park(self._host.database, service, method, event)
        except dispatch.NotParkedError:
            return [delivery]
        return []


class Collector:
    """Gathers a batch and hands it to one worker at a time, so that a queue's order is kept."""

    def __init__(self, host: Host, method: str, marker: BatchConsumer) -> None:
        self._host = host
        self._method = method
        self._marker = marker
        self._waiting: list[tuple[Delivery, Message]] = []
        self._since = 0.0
        self._busy = False

    def on_delivery(self, delivery: Delivery) -> None:
        try:
            body = decode(delivery.message)
            message_id = str(body["id"]) if self._marker.types else _message_id(delivery)
            if self._marker.types and Event.from_wire(body).type not in self._marker.types:
                raise ValueError("another type")
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            refuse(delivery, self._method, error)
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((delivery, Message(message_id, body)))
        self.flush()

    def flush(self) -> None:
        """Start the batch when it is full or old enough, and the last one is done."""
        if self._busy or not self._waiting:
            return
        full = len(self._waiting) >= self._marker.max_messages
        if not full and time.monotonic() - self._since < self._marker.max_wait_seconds:
            return
        taken, self._waiting = self._waiting[: self._marker.max_messages], self._waiting[self._marker.max_messages :]
        self._since = time.monotonic()
        self._busy = True
        self._host.container.spawn_job(lambda service: self._apply(service, taken))

    def _apply(self, service: Any, taken: list[tuple[Delivery, Message]]) -> None:
        try:
            metrics.batch_size.labels(f"{self._host.name}.{self._method}").observe(len(taken))
            hold(self._host, lambda: self._apply_once(service, taken), [delivery for delivery, _ in taken])
        finally:
            self._busy = False

    def _apply_once(self, service: Any, taken: list[tuple[Delivery, Message]]) -> list[Delivery]:
        messages = [message for _, message in taken]
        events = bool(self._marker.types)
        refused = dispatch.apply_batch(self._host.database, service, self._method, messages, events=events)
        return [delivery for delivery, message in taken if any(message is one for one in refused)]


def refuse(delivery: Delivery, queue: str, error: Exception) -> None:
    """To the dead-letter queue: it is not one of ours."""
    metrics.refused_messages.labels(queue, type(error).__name__).inc()
    log.warning("message_refused", queue=queue, why=type(error).__name__)
    delivery.refuse()


def hold(host: Host, work: Callable[[], list[Delivery]], deliveries: list[Delivery]) -> None:
    """Do the work, waiting out an outage of the database for as long as it lasts; then settle the deliveries.

    `work` returns those of them that belong into the dead-letter queue.
    """
    pause = 0.2
    while True:
        try:
            refused = work()
            break
        except Exception as error:
            if not is_outage(error):
                log.exception("work_given_back", service=host.name)
            else:
                log.warning("work_held", service=host.name, error=type(error).__name__)
                if not host.stopping.wait(pause):
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                    continue
            for delivery in deliveries:
                delivery.give_back()
            return
    for delivery in deliveries:
        if delivery in refused:
            delivery.refuse()
        else:
            delivery.acknowledge()


def _message_id(delivery: Delivery) -> str:
    return str(delivery.message.properties.get("message_id") or uuid.uuid4())
