"""Our bus's empty call: a service that answers what it was asked, and its asker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.shared.actor import ANONYMOUS, ActorSigner
from services.shared.bus import Call, DatabaseProvider, query
from services.shared.keys import KeyRing, open_keyring
from services.shared.policy import anyone
from services.shared.settings import Settings
from yanxiu.bench.programs import contract

if TYPE_CHECKING:
    from services.shared.bus.client import ClientPool
    from services.shared.bus.topology import Topology

WAIT_SECONDS = 30.0


class EchoService:
    """Answers what it was asked."""

    name = contract.SERVICE
    policies = {"echo": anyone()}  # noqa: RUF012  as every service declares them
    database = DatabaseProvider()

    @query
    def echo(self, call: Call) -> dict[str, Any]:
        return call.arguments


class EchoAsker:
    """Asks as the gateway does: a token for each call, a pooled connection."""

    def __init__(self, pool: ClientPool, keyring: KeyRing) -> None:
        self._pool = pool
        self._signer = ActorSigner("gateway", keyring.signing_key("actor.gateway"))

    def ask(self) -> None:
        token = self._signer.sign(ANONYMOUS, contract.SERVICE)
        reply = self._pool.call(contract.SERVICE, "echo", {}, actor_token=token, timeout=WAIT_SECONDS)
        assert reply == {}, reply

    def close(self) -> None:
        self._pool.close()


def connect(settings: Settings) -> EchoAsker:
    from services.shared.bus.client import ClientPool

    return EchoAsker(ClientPool(settings, "bench", 1), open_keyring(settings))


def plan() -> Topology:
    from services.shared.bus import topology

    return topology.plan([EchoService], [], 1)
