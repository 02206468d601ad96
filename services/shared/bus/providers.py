"""What a service class may ask for as class attributes; the runner (or a test) builds each once per process."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from services.shared import outbox
from services.shared.database import Database
from services.shared.keys import KeyRing
from services.shared.settings import Settings

if TYPE_CHECKING:
    from services.shared.actor import Actor, ActorSigner
    from services.shared.bus.calls import Call


Built = TypeVar("Built")


@dataclasses.dataclass(frozen=True)
class Environment:
    """What providers build from."""

    settings: Settings
    keyring: KeyRing
    # Makes the client through which this process asks others; tests give a fake one.
    connect: Callable[[], Any]


class Provider(Generic[Built]):
    """A class attribute that the runner replaces, on the instance, by what `build` returns."""

    if TYPE_CHECKING:
        # What `self.database` is once the runner has put the built object in this one's place.
        def __get__(self, instance: object, owner: type | None = None) -> Built: ...

    def build(self, service_class: Any, environment: Environment) -> Built:
        raise NotImplementedError


class DatabaseProvider(Provider[Database]):
    def build(self, service_class: Any, environment: Environment) -> Database:
        return Database(owner_of(service_class), environment.settings, environment.keyring)


class SettingsProvider(Provider[Settings]):
    def build(self, service_class: Any, environment: Environment) -> Settings:
        return environment.settings


class KeyRingProvider(Provider[KeyRing]):
    def build(self, service_class: Any, environment: Environment) -> KeyRing:
        return environment.keyring


class BusProvider(Provider["ServiceBus"]):
    """`self.bus.ask("identity", "get_holders", {...}, call)`: a question to another service, signed as this one."""

    def build(self, service_class: Any, environment: Environment) -> ServiceBus:
        from services.shared.actor import ActorSigner

        owner = owner_of(service_class)
        signer = ActorSigner(owner, environment.keyring.signing_key(f"actor.{owner}"))
        return ServiceBus(owner, signer, environment.connect())


class PublisherProvider(Provider[Any]):
    """`self.publisher.publish(exchange, routing_key, body, message_id, timeout)`: confirmed, for what is no event."""

    def build(self, service_class: Any, environment: Environment) -> Any:
        from services.shared.bus.publisher import ConfirmedPublisher

        return ConfirmedPublisher(environment.settings, str(service_class.name))


class ServiceBus:
    """One service's way to ask others. Never inside a transaction; the call graph stays acyclic and two hops deep."""

    def __init__(self, owner: str, signer: ActorSigner, client: Any) -> None:
        self._owner = owner
        self._signer = signer
        self.client = client

    def ask(self, service: str, method: str, arguments: dict[str, Any], call: Call | None = None) -> Any:
        """The reply of a query of `service`, asked as this service, within what is left of `call`'s deadline.

        Raises the ServiceError that the other side answered, or Unavailable when it does not answer in time.
        """
        return self._call(service, method, arguments, call, None)

    def tell(
        self, service: str, method: str, arguments: dict[str, Any], command_id: str, call: Call | None = None
    ) -> Any:
        """The reply of a command of `service`; `command_id` makes a repetition harmless."""
        return self._call(service, method, arguments, call, command_id)

    def ask_for(self, actor: Actor, service: str, method: str, arguments: dict[str, Any]) -> Any:
        """As `ask`, but the other side decides by `actor`: a person on whose behalf this service works by itself (a job).

        The caller answers for it that these are the person's rights at this moment.
        """
        return self._call(service, method, arguments, None, None, actor)

    def tell_for(self, actor: Actor, service: str, method: str, arguments: dict[str, Any], command_id: str) -> Any:
        """As `tell`, decided by `actor` like `ask_for`."""
        return self._call(service, method, arguments, None, command_id, actor)

    def _call(
        self,
        service: str,
        method: str,
        arguments: dict[str, Any],
        call: Call | None,
        command_id: str | None,
        actor: Actor | None = None,
    ) -> Any:
        from services.shared.actor import service_actor

        # Refuse early what cannot be answered: each hop gives up 20 ms of the caller's time (reliability.md d20).
        timeout = min(5.0, call.remaining_seconds() - 0.02) if call else 5.0
        return self.client.call(
            service,
            method,
            arguments,
            actor_token=self._signer.sign(actor or service_actor(self._owner), service),
            command_id=command_id,
            timeout=timeout,
            call_id=call.call_id if call else "",
        )


def owner_of(service_class: Any) -> str:
    """The service that a process type belongs to: "learning" for "learning-ingest"."""
    return str(service_class.name).split("-", 1)[0]


def contract_of(service_class: Any) -> Any:
    """The contract module nearest above the service class's own module."""
    package = service_class.__module__
    while "." in package:
        package = package.rsplit(".", 1)[0]
        if contract := sys.modules.get(f"{package}.contract"):
            return contract
    raise TypeError(f"{service_class.name}: no contract module was imported")


def instantiate(service_class: Any, environment: Environment) -> Any:
    """A service object with every provider built, its contract's events registered, its policies checked.

    Raises TypeError when a query or command has no policy, or a policy no method.
    """
    from services.shared.bus.calls import Command, Query, marked_methods

    methods = set(marked_methods(service_class, (Query, Command)))  # type: ignore[arg-type]
    policies = set(service_class.policies)
    if methods != policies:
        raise TypeError(f"{service_class.name}: methods and policies differ: {sorted(methods ^ policies)}")
    outbox.register(contract_of(service_class).EVENTS)
    service = service_class()
    for name in dir(service_class):
        attribute = getattr(service_class, name)
        if isinstance(attribute, Provider):
            setattr(service, name, attribute.build(service_class, environment))
    return service
