"""What one application holds, and what one request knows. Built by `create_app`; everything lazy until the first request."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from flask import current_app, g

from services.shared.actor import ANONYMOUS, Actor, ActorSigner

if TYPE_CHECKING:
    from gateway.auth import AccessTokens
    from gateway.caching import Caching
    from gateway.limits import Limiter
    from gateway.messages import Catalogue
    from gateway.openapi import Operations
    from gateway.revocations import Revocations
    from gateway.study_papers import StudyPapers
    from services.shared.keys import KeyRing
    from services.shared.settings import Settings

EXTENSION = "yanxiu"


class Bus(Protocol):
    """What the gateway needs of the bus; `gateway/bus.py` gives the real one, `tests/fakes.py` another."""

    def call(
        self,
        service: str,
        method: str,
        arguments: dict[str, Any],
        *,
        actor_token: str,
        command_id: str | None,
        timeout: float,
        call_id: str,
    ) -> Any:
        """The reply. Raises the service's refusal, or Unavailable ("shared.deadline" after `timeout` seconds)."""

    def publish(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str, timeout: float) -> None:
        """Return once the broker holds the message. Raises Unavailable when it is full, late or gone."""

    def listen(
        self,
        event_type: str,
        on_connected: Callable[[], None],
        on_message: Callable[[dict[str, Any]], None],
        on_idle: Callable[[], None],
    ) -> None:
        """Take the payloads of an event in this process too, until the connection fails (raises); `on_idle` each second."""

    def check(self) -> None:
        """Raise Unavailable when the broker cannot be reached."""


@dataclasses.dataclass(frozen=True)
class Gateway:
    """The parts that views and hooks of one application share."""

    settings: Settings
    keyring: KeyRing
    bus: Bus
    signer: ActorSigner
    tokens: AccessTokens
    revocations: Revocations
    limiter: Limiter
    catalogue: Catalogue
    operations: Operations
    study_papers: StudyPapers


def gateway() -> Gateway:
    return cast(Gateway, current_app.extensions[EXTENSION])


@dataclasses.dataclass
class Call:
    """One HTTP request: who asks, until when, and under which number it is logged."""

    call_id: str
    deadline: float  # monotonic
    started: float = dataclasses.field(default_factory=time.monotonic)
    language: str = "zh"
    request_id: str = ""
    traceparent: str = ""
    actor: Actor = ANONYMOUS
    idempotency_key: str = ""
    body: dict[str, Any] | None = None
    problem_code: str = ""
    counted_as: str | None = None  # the operation under which the limits counted this request
    page_policy: str = ""  # a Content-Security-Policy other than the default
    cache: Caching | None = None  # None: nothing may keep the answer


def call() -> Call:
    """The present request's facts."""
    return cast(Call, g.call)
