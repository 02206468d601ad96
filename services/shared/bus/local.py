"""The services called in this very process, straight over their databases: no broker, nothing has to run.

For the operators' command line. What a call announces waits in the outbox until the services run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from services.shared.actor import ActorVerifier
from services.shared.bus import dispatch
from services.shared.bus.providers import Environment, instantiate
from services.shared.keys import ISSUERS, KeyRing
from services.shared.settings import Settings


class LocalClient:
    """Answers like `client.ClientPool`, with the same checks of the actor token and the policies."""

    def __init__(self, settings: Settings, keyring: KeyRing, load_class: Callable[[str], Any]) -> None:
        self._environment = Environment(settings, keyring, lambda: self)
        self._load_class = load_class
        self._verifier = ActorVerifier({issuer: keyring.verify_key(f"actor.{issuer}") for issuer in ISSUERS})
        self._services: dict[str, Any] = {}

    def call(
        self,
        service: str,
        method: str,
        arguments: dict[str, Any],
        *,
        actor_token: str,
        command_id: str | None = None,
        timeout: float | None = None,
        call_id: str = "",
    ) -> Any:
        """The result; raises the service's refusal."""
        return dispatch.run_method(
            self.open(service),
            method,
            arguments,
            self._verifier.verify(actor_token, service),
            command_id=command_id,
            deadline=time.monotonic() + (30.0 if timeout is None else timeout),
            call_id=call_id,
        )

    def open(self, process: str) -> Any:
        """The service object of a process type, over its database; made when first asked for."""
        if process not in self._services:
            self._services[process] = instantiate(self._load_class(process), self._environment)
        return self._services[process]

    def close(self) -> None:
        for service in self._services.values():
            service.database.dispose()
