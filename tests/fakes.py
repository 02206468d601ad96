"""Fakes with behaviour: they refuse what the real thing refuses."""

from __future__ import annotations

import dataclasses
import importlib
import json
import threading
from collections.abc import Callable
from typing import Any

from services.shared.actor import Actor, ActorVerifier, Kind
from services.shared.errors import Conflict, InvalidInput, NotFound, ServiceError, Unavailable
from services.shared.keys import KeyRing
from services.shared.policy import Policy

Answer = Callable[[dict[str, Any], Actor], Any]


@dataclasses.dataclass(frozen=True)
class Sent:
    """One call that reached a service."""

    service: str
    method: str
    arguments: dict[str, Any]
    actor: Actor
    command_id: str | None
    timeout: float
    call_id: str


@dataclasses.dataclass(frozen=True)
class Published:
    exchange: str
    routing_key: str
    body: dict[str, Any]
    message_id: str


class FakeBus:
    """The gateway's bus without a broker. What `answers` lacks does not exist; arguments and replies travel as JSON.

    It checks the actor token for its audience, applies a service's real policies where there are any, answers a repeated
    command from memory and refuses its key for another body, as the services do.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._verifier = ActorVerifier({"gateway": keyring.verify_key("actor.gateway")})
        self._answers: dict[tuple[str, str], Any] = {("identity", "list_revocations"): {"items": []}}
        self._stored: dict[tuple[str, str], tuple[str, Any]] = {}
        self._lock = threading.Lock()
        self.otherwise: Any = NotFound("shared.not_found")
        self.sent: list[Sent] = []
        self.published: list[Published] = []
        self.down = False
        self.messages: list[dict[str, Any]] = []
        self._woken = threading.Condition()

    def answer(self, service: str, method: str, reply: Any) -> None:
        """Answer with `reply`: a value, a ServiceError to raise, or a function of (arguments, actor)."""
        self._answers[service, method] = reply

    def call(
        self,
        service: str,
        method: str,
        arguments: dict[str, Any],
        *,
        actor_token: str,
        command_id: str | None = None,
        timeout: float = 5.0,
        call_id: str = "",
    ) -> Any:
        self.check()
        actor = self._verifier.verify(actor_token, service)
        arguments = json.loads(json.dumps(arguments, allow_nan=False))
        if policy := _policy(service, method):
            policy.admit(actor)
        if actor.kind is not Kind.SERVICE:
            self.sent.append(Sent(service, method, arguments, actor, command_id, timeout, call_id))
        if command_id is None:
            return self._reply(service, method, arguments, actor)
        return self._once(f"{actor.key}/{service}", command_id, service, method, arguments, actor)

    def publish(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str, timeout: float) -> None:
        self.check()
        self.published.append(
            Published(exchange, routing_key, json.loads(json.dumps(body, allow_nan=False)), message_id)
        )

    def listen(self, _event_type: str, on_connected: Any, on_message: Any, on_idle: Any) -> None:
        """Deliver `broadcast` messages while the broker is up."""
        self.check()
        on_connected()
        while True:
            self.check()
            with self._woken:
                self._woken.wait(0.05)
                messages, self.messages = self.messages, []
            for message in messages:
                on_message(message)
            on_idle()

    def broadcast(self, message: dict[str, Any]) -> None:
        with self._woken:
            self.messages.append(message)
            self._woken.notify_all()

    def check(self) -> None:
        if self.down:
            raise Unavailable("shared.unavailable", "", "broker down")

    def _once(self, who: str, command_id: str, service: str, method: str, arguments: Any, actor: Actor) -> Any:
        request = json.dumps([method, arguments], sort_keys=True)
        with self._lock:
            known = self._stored.get((who, command_id))
            if known is None:
                self._stored[who, command_id] = (request, Conflict("shared.in_progress"))
        if known is None:
            try:
                reply = self._reply(service, method, arguments, actor)
            except ServiceError:
                # A refusal rolls the idempotency row back.
                del self._stored[who, command_id]
                raise
            self._stored[who, command_id] = (request, reply)
            return reply
        if known[0] != request:
            raise InvalidInput("shared.key_reused")
        if isinstance(known[1], ServiceError):
            raise known[1]
        return known[1]

    def _reply(self, service: str, method: str, arguments: dict[str, Any], actor: Actor) -> Any:
        reply = self._answers.get((service, method), self.otherwise)
        if callable(reply):
            reply = reply(arguments, actor)
        if isinstance(reply, Exception):
            raise reply
        return json.loads(json.dumps(reply, allow_nan=False))


def _policy(service: str, method: str) -> Policy | None:
    try:
        policies = importlib.import_module(f"services.{service}.policy").POLICIES
    except ModuleNotFoundError:
        return None
    found: Policy | None = policies.get(method)
    if found is None:
        raise NotFound("shared.no_such_method")
    return found
