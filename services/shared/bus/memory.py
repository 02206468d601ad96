"""The in-memory transport of the embedded mode: kombu's, with what nameko-style use needs of it.

One process only. It has no `mandatory`, no confirms, no dead-lettering, and it forgets at exit; the outbox makes up for
the last (each start sends the retention window again). Differences from kombu's own: a waiting consumer is woken when a
message arrives instead of polling, and messages of a closed channel go back to their queue.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import memory, virtual

# Which waiting connections consume from a queue: they are woken when something is put into it.
_waiters: dict[str, set[threading.Event]] = defaultdict(set)


class Channel(memory.Channel):
    """A channel that wakes consumers and gives unacknowledged messages back when it closes."""

    do_restore = False  # we restore on close ourselves; kombu's way also prints to stderr

    def basic_consume(self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **kwargs: Any) -> Any:
        _waiters[queue].add(self.connection.arrived)
        result = super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)
        self.connection.arrived.set()
        return result

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        for arrived in tuple(_waiters[queue]):
            arrived.set()

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        # There may be room in the prefetch window again.
        self.connection.arrived.set()

    def basic_reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue=requeue)
        self.connection.arrived.set()

    def basic_cancel(self, consumer_tag: str) -> Any:
        if queue := self._tag_to_queue.get(consumer_tag):
            _waiters[queue].discard(self.connection.arrived)
        return super().basic_cancel(consumer_tag)

    def close(self) -> None:
        if not self.closed:
            self.qos.restore_unacked()
        super().close()


class Transport(memory.Transport):
    """A transport whose `drain_events` sleeps until a message for one of its consumers arrives."""

    Channel = Channel
    global_state = virtual.BrokerState()

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.arrived = threading.Event()

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        ends = None if timeout is None else monotonic() + timeout
        while True:
            self.arrived.clear()
            try:
                self.cycle.get(self._deliver)
                return
            except Empty:
                left = None if ends is None else ends - monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError from None
                self.arrived.wait(left)
