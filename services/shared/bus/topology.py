"""Exchanges, queues and bindings: declared by `yanxiu migrate`, and again by whoever finds a wiped broker.

A queue's arguments cannot change while it lives, so the version is part of its name: a change drains the old one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import kombu
from amqp.exceptions import NotFound, PreconditionFailed

from services.shared.bus.calls import BatchConsumer, EventHandler, marked_methods
from services.shared.bus.link import Link

VERSION = "v1"
EVENTS = f"events.{VERSION}"
STUDY = f"study.{VERSION}"
DEAD = f"dead.{VERSION}"
UNROUTED = f"unrouted.{VERSION}"
# Events that nobody keeps: broadcasts to gateways, and types without a consumer yet. The newest one stays, so that
# `unrouted` rings only when a queue is really missing.
SINK = f"sink.{VERSION}"
# An honest message may be redelivered often (each dropped connection counts), so the limit is far away.
DELIVERY_LIMIT = 500
MAX_QUEUE_BYTES = 2 * 1024**3
RPC_TTL_MS = 30_000


class TopologyDiffersError(Exception):
    """The broker holds a queue of this name with other arguments: raise VERSION and drain the old queue."""


@dataclasses.dataclass(frozen=True)
class Topology:
    """What the processes of this system need of the broker."""

    rpc_queues: tuple[str, ...]
    # queue -> event types bound to it
    event_queues: dict[str, tuple[str, ...]]
    study_queues: tuple[str, ...]
    unclaimed_types: tuple[str, ...]


def rpc_queue(service: str) -> str:
    return f"rpc.{service}.{VERSION}"


def events_queue(process: str) -> str:
    """The one queue for all single-event handlers of a process (prefetch counts per consumer, so few of them)."""
    return f"events.{process}.{VERSION}"


def batch_queue(process: str, method: str) -> str:
    return f"events.{process}.{method}.{VERSION}"


def study_queue(shard: int) -> str:
    return f"study.{shard}.{VERSION}"


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"


def plan(service_classes: Iterable[type], all_types: Iterable[str], shards: int) -> Topology:
    """The topology that these service classes need. `all_types`: every event type of every contract."""
    rpc, events = [], {}
    claimed: set[str] = set()
    for service_class in service_classes:
        process = service_class.name  # type: ignore[attr-defined]
        rpc.append(rpc_queue(process))
        handled = [type_ for marker in marked_methods(service_class, EventHandler).values() for type_ in marker.types]
        if handled:
            events[events_queue(process)] = tuple(sorted(set(handled)))
        for method, marker in marked_methods(service_class, BatchConsumer).items():
            if marker.types:
                events[batch_queue(process, method)] = marker.types
        claimed.update(*events.values())
    return Topology(
        rpc_queues=tuple(rpc),
        event_queues=events,
        study_queues=tuple(study_queue(shard) for shard in range(shards)),
        unclaimed_types=tuple(sorted(set(all_types) - claimed)),
    )


def declare(link: Link, topology: Topology) -> None:
    """Declare everything; doing it again changes nothing. Raises TopologyDiffersError."""
    channel = link.channel
    try:
        _exchange(channel, UNROUTED, "fanout")
        _exchange(channel, EVENTS, "topic", {"alternate-exchange": UNROUTED})
        _exchange(channel, STUDY, "direct")
        _exchange(channel, DEAD, "direct")
        _queue(channel, UNROUTED, _quorum())
        _bind(channel, UNROUTED, UNROUTED, "#")
        _queue(channel, SINK, {"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "drop-head"})
        for type_ in topology.unclaimed_types:
            _bind(channel, SINK, EVENTS, type_)
        for queue in topology.rpc_queues:
            # Durable with transient messages: RabbitMQ 4 refuses queues that are neither durable nor exclusive.
            _queue(channel, queue, {"x-queue-type": "classic", "x-message-ttl": RPC_TTL_MS})
            _dead_queue(channel, queue)
        for queue, types in topology.event_queues.items():
            _durable_queue(channel, queue)
            for type_ in types:
                _bind(channel, queue, EVENTS, type_)
        for shard, queue in enumerate(topology.study_queues):
            # One consumer at a time keeps a shard's order, which the closing marker of a season relies on.
            _durable_queue(channel, queue, {"x-single-active-consumer": True})
            _bind(channel, queue, STUDY, str(shard))
    except PreconditionFailed as error:
        raise TopologyDiffersError(str(error)) from error


def exists(link: Link, queue: str) -> bool:
    """Whether the broker holds the queue. Uses a channel of its own: a refusal closes the channel."""
    channel = link.connection.channel()
    try:
        channel.queue_declare(queue, passive=True)
        return True
    except (NotFound, *link.connection.channel_errors):
        return False
    finally:
        if not link.in_memory and channel.is_open:
            channel.close()


def _durable_queue(channel: Any, queue: str, more: dict[str, Any] | None = None) -> None:
    _queue(
        channel,
        queue,
        {
            **_quorum(),
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": queue,
            "x-dead-letter-strategy": "at-least-once",
            "x-delivery-limit": DELIVERY_LIMIT,
            **(more or {}),
        },
    )
    _dead_queue(channel, queue)


def _dead_queue(channel: Any, queue: str) -> None:
    _queue(channel, dead_queue(queue), _quorum())
    _bind(channel, dead_queue(queue), DEAD, queue)


def _quorum() -> dict[str, Any]:
    # reject-publish: a full queue refuses the publisher, who keeps the message, instead of dropping an old one.
    # A limit far away: RabbitMQ 4 drops after 20 redeliveries by default, and looking into a queue counts as one.
    return {
        "x-queue-type": "quorum",
        "x-overflow": "reject-publish",
        "x-max-length-bytes": MAX_QUEUE_BYTES,
        "x-delivery-limit": 1_000_000,
    }


def _exchange(channel: Any, name: str, type_: str, arguments: dict[str, Any] | None = None) -> None:
    channel.exchange_declare(name, type_, durable=True, auto_delete=False, arguments=arguments or {})


def _queue(channel: Any, name: str, arguments: dict[str, Any]) -> None:
    kombu.Queue(name, channel=channel, durable=True, queue_arguments=arguments).queue_declare()


def _bind(channel: Any, queue: str, exchange: str, key: str) -> None:
    channel.queue_bind(queue, exchange, key)
