"""What a service writes: markers for its methods, and the request that a method receives. No nameko in here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError

from services.shared import clock
from services.shared.actor import Actor
from services.shared.errors import InvalidInput
from services.shared.policy import Policy

MARKER = "bus_marker"


class NotYet(Exception):
    """Raised by an event handler: keep this event and try it again soon."""


class TargetNotAuthorisedError(Exception):
    """A method whose policy names a scope tried to answer without naming its target: a defect, so nothing is committed."""


@dataclasses.dataclass
class Call:
    """One request to a query or a command.

    `arguments` is untrusted JSON; `deadline` is monotonic; `now` is the business instant, taken once per call, which
    rules receive as an argument.
    """

    service: str
    method: str
    arguments: dict[str, Any]
    actor: Actor
    policy: Policy
    deadline: float
    call_id: str = ""
    command_id: str | None = None
    now: dt.datetime = dataclasses.field(default_factory=clock.now)
    settled: bool = False

    def load(self, schema: Schema) -> Any:
        """The validated arguments. Raises InvalidInput("shared.invalid") with the dotted path of the first fault."""
        try:
            return schema.load(self.arguments)
        except ValidationError as error:
            field, message = first_fault(error.messages)
            raise InvalidInput("shared.invalid", field, message) from None

    def authorise(
        self,
        subject: uuid.UUID | None = None,
        place: str | None = None,
        missing: str = "shared.not_found",
        field: str = "",
    ) -> None:
        """Check the caller against the target: the person it is about, the place where it lies, or both.

        Raises NotFound(`missing`, `field`) when the caller's scope does not reach it: unknown and forbidden look alike, so
        `field` is what the look-up of an unknown target names.
        """
        self.policy.check(self.actor, subject, place, missing, field)
        self.settled = True

    def authorise_own(self) -> uuid.UUID:
        """For methods about the caller alone: the caller's own id."""
        assert self.actor.account_id is not None  # `Policy.admit` refused visitors
        self.authorise(subject=self.actor.account_id)
        return self.actor.account_id

    def require_authorised(self) -> None:
        """Raise TargetNotAuthorisedError when the policy wants a target and none was ever checked."""
        if self.policy.needs_target and not self.settled:
            raise TargetNotAuthorisedError(f"{self.service}.{self.method}")

    def remaining_seconds(self) -> float:
        return self.deadline - time.monotonic()


def first_fault(messages: Any, path: str = "") -> tuple[str, str]:
    """The first leaf of marshmallow's nested messages: (dotted path, text)."""
    if isinstance(messages, dict):
        key, value = next(iter(messages.items()))
        if key == "_schema":
            return first_fault(value, path)
        return first_fault(value, f"{path}.{key}" if path else str(key))
    if isinstance(messages, list):
        return path, str(messages[0]) if messages else ""
    return path, str(messages)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened in a service, delivered at least once; the inbox makes it count once."""

    id: uuid.UUID
    type: str  # "org.membership_changed"
    aggregate_id: uuid.UUID
    occurred_at: dt.datetime
    payload: dict[str, Any]

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> Event:
        """Raises ValueError, KeyError or TypeError for a body that is no event."""
        if not isinstance(body["payload"], dict):
            raise TypeError("payload")
        return cls(
            id=uuid.UUID(body["id"]),
            type=str(body["type"]),
            aggregate_id=uuid.UUID(body["aggregate_id"]),
            occurred_at=clock.parse_instant(body["occurred_at"]),
            payload=body["payload"],
        )

    def to_wire(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "type": self.type,
            "aggregate_id": str(self.aggregate_id),
            "occurred_at": clock.format_instant(self.occurred_at),
            "payload": self.payload,
        }


@dataclasses.dataclass(frozen=True)
class Message:
    """One message of a batch. `id` is the event's, or the one the publisher gave; `body` is untrusted JSON.

    Where the messages are events, `body` is the event as it travels and `event()` reads it.
    """

    id: str
    body: dict[str, Any]

    def event(self) -> Event:
        return Event.from_wire(self.body)


# --- markers -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Query:
    """Answers a question; a redelivered one is dropped, for its asker is gone."""


@dataclasses.dataclass(frozen=True)
class Command:
    """Changes something, once per command id."""


@dataclasses.dataclass(frozen=True)
class EventHandler:
    types: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class BatchConsumer:
    """Takes messages by the hundred: from event types, or from the shard queues of a stream."""

    types: tuple[str, ...] = ()
    stream: str = ""
    max_messages: int = 500
    max_wait_seconds: float = 0.2


@dataclasses.dataclass(frozen=True)
class Periodic:
    seconds: float
    job: str


@dataclasses.dataclass(frozen=True)
class Continuous:
    workers: int
    pause_seconds: float


def _mark(marker: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        setattr(method, MARKER, marker)
        return method

    return decorate


query = _mark(Query())
command = _mark(Command())


def event_handler(*types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`def on_x(self, db, event)`: called in a transaction that also holds the inbox row, with the worker's role.

    An exception rolls back and parks the event, to be tried again with growing pauses; an outage of the database holds
    it and uses up no attempt.
    """
    return _mark(EventHandler(types))


def batch_consumer(
    *types: str, stream: str = "", max_messages: int = 500, max_wait_seconds: float = 0.2
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`def record_x(self, db, messages)`: one transaction per batch, acknowledged after its commit.

    With event `types` the messages are events (the inbox drops repeated ones before the method sees them); with `stream`
    they are the bodies published to that stream's shard queues, and the method itself must bear repetition. A batch that
    fails is halved until the culprit stands alone, which is parked.
    """
    return _mark(BatchConsumer(types, stream, max_messages, max_wait_seconds))


def periodic(seconds: float, job: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`def name(self, now)`: run at most once in each period of `seconds`, whatever the number of instances."""
    return _mark(Periodic(seconds, job))


def continuous(workers: int, pause_seconds: float = 1.0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`def name(self) -> bool`: do one piece of work that waits in the database, and tell whether there was any.

    Every instance runs it in `workers` loops that pause only when nothing waits, so the method itself must see to it
    that no piece is done by two at once.
    """
    return _mark(Continuous(workers, pause_seconds))


def marked_methods(service_class: type, kind: type) -> dict[str, Any]:
    """{method name: marker} of a service's methods marked with `kind`."""
    found = {}
    for name in dir(service_class):
        marker = getattr(getattr(service_class, name), MARKER, None)
        if isinstance(marker, kind):
            found[name] = marker
    return found
