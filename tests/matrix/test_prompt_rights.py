"""Rights end at once: a revoked grant, a moved teacher, a closed desk (`reliability.md` S4, decision 16).

The access token of a minute ago still names the grant. What stops it is the gateway, told by identity's list of revocations; it asks for
that list every moment and is woken by the broker. Here the real gateway stands over the real services in one process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from services.shared.actor import Actor, ActorVerifier, Desk, Role
from services.shared.bus import dispatch
from services.shared.errors import ServiceError, Unavailable, from_wire
from services.shared.keys import KeyRing
from tests.matrix.world import (
    COUNTY,
    Where,
    World,
    choose,
    member,
    release,
    verify,
)

LONGEST_SECONDS = 1.0
TRIALS = int(os.environ.get("YANXIU_REVOKE_TRIALS", "20"))  # `make authz-revoke`: reliability.md S4 says a thousand


class InProcessBus:
    """The gateway's bus, straight into the services of the world, with the checks that the real one makes."""

    def __init__(self, world: World, keyring: KeyRing) -> None:
        self._world = world
        self._verifier = ActorVerifier({"gateway": keyring.verify_key("actor.gateway")})
        self.connections = 0

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
        process = self._world.process[service]
        actor = self._verifier.verify(actor_token, service)
        answer = dispatch.answer(process.service, method, arguments, actor, command_id=command_id, call_id=call_id)
        if "error" in answer:
            raise from_wire(answer["error"])
        return answer["result"]

    def publish(self, *_arguments: Any, **_options: Any) -> None:
        raise Unavailable("shared.unavailable")

    def listen(self, event_type: str, on_connected: Any, on_message: Any, on_idle: Any) -> None:
        """What the broker broadcasts: the payload of every event of the type, as the world's outboxes give it."""
        heard = self._world.broadcast[event_type] = queue.SimpleQueue()
        self.connections += 1
        on_connected()
        while True:
            with contextlib.suppress(queue.Empty):
                on_message(heard.get(timeout=0.05)["payload"])
            on_idle()

    def check(self) -> None:
        pass


@pytest.fixture(scope="module")
def client(world: World, keyring: KeyRing) -> Iterator[FlaskClient]:
    bus = InProcessBus(world, keyring)
    app = create_app(world.settings, bus=bus, keyring=keyring, limit_scale=10_000)
    yield app.test_client()
    app.extensions["yanxiu"].revocations.stop()
    # What was refused was told by the broadcast, not found out by connecting again and asking for the whole list.
    assert bus.connections == 1


def signed_in(world: World, account_id: str) -> tuple[Actor, dict[str, str]]:
    """An access token at the administrator's desk, as identity mints it."""
    token = world.access_token(account_id, Desk.ADMINISTRATOR)
    return world.read_token(token), {"Authorization": f"Bearer {token}"}


def seconds_until(condition: Callable[[], bool]) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < 10, "it never came true"
        time.sleep(0.01)
    return time.monotonic() - started


def appointed(world: World, role: Role, place: str) -> tuple[str, str]:
    """A new holder; (account, grant)."""
    [account_id] = world.new_people(1)
    world.deliver_all()
    grant = {"account_id": account_id, "role": str(role), "place": place}
    grant_id = world.call("org", "bootstrap_grant", grant)["grant_id"]
    world.deliver_all()
    return account_id, grant_id


def test_a_revoked_grant_is_refused_within_a_second(world: World, client: FlaskClient) -> None:
    school = world.spots[Where.OWN].school["school_id"]
    operator = next(cast.actor for cast in world.cast if cast.column == "A13" and cast.state == "active")
    for _ in range(TRIALS):
        account_id, grant_id = appointed(world, Role.COUNTY_ADMIN, COUNTY)
        _, headers = signed_in(world, account_id)
        path = f"/api/v1/memberships?school_id={school}"
        assert client.get(path, headers=headers).status_code == 200
        world.call("org", "revoke_grant", {"grant_id": grant_id, "reason": "卸任"}, operator)
        world.deliver_all()
        taken = seconds_until(lambda: client.get(path, headers=headers).status_code == 401)  # noqa: B023
        assert taken < LONGEST_SECONDS
        _, again = signed_in(world, account_id)
        assert client.get(path, headers=again).status_code == 403, "a new token names it no more"


def test_a_teacher_who_has_moved_is_out_of_reach_at_once(world: World, client: FlaskClient) -> None:
    """The admin's token stays good; what she sees is decided by where the teacher is now."""
    here, there = world.spots[Where.OWN], world.spots[Where.OTHER_COUNTY]
    account_id, _ = appointed(world, Role.COUNTY_ADMIN, COUNTY)
    _, headers = signed_in(world, account_id)
    for _ in range(TRIALS // 4):
        teacher_id = member(world, here)
        actor = world.read_token(headers["Authorization"].split()[1])
        seen = world.call("identity", "list_people", {"account_ids": [teacher_id]}, actor)["people"]
        assert [person["account_id"] for person in seen] == [teacher_id]
        release(world, teacher_id, here)
        choose(world, teacher_id, there)
        verify(world, teacher_id, there)
        for service, method, arguments in (
            ("identity", "list_people", {"account_ids": [teacher_id]}),
            ("credits", "list_ledger", {"teacher_id": teacher_id}),
        ):
            try:
                reply = world.call(service, method, arguments, actor)
            except ServiceError:
                continue
            assert not reply.get("people", reply.get("items")), method


def test_an_account_signed_out_elsewhere_is_refused_within_a_second(world: World, client: FlaskClient) -> None:
    account_id, _ = appointed(world, Role.COUNTY_ADMIN, COUNTY)
    for _ in range(TRIALS // 4):
        actor, headers = signed_in(world, account_id)
        assert client.get("/api/v1/accounts/me", headers=headers).status_code == 200
        world.call("identity", "sign_out", {}, actor)
        world.deliver_all()
        taken = seconds_until(lambda: status(client, headers) == 401)  # noqa: B023
        assert taken < LONGEST_SECONDS


def status(client: FlaskClient, headers: dict[str, str]) -> int:
    return client.get("/api/v1/accounts/me", headers=headers).status_code


def test_without_revocations_the_old_token_goes_on(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: ten minutes are long."""
    revocations = client.application.extensions["yanxiu"].revocations
    monkeypatch.setattr(type(revocations), "refuse_revoked", lambda *_arguments: None)
    account_id, _ = appointed(world, Role.COUNTY_ADMIN, COUNTY)
    actor, headers = signed_in(world, account_id)
    world.call("identity", "sign_out", {}, dataclasses.replace(actor))
    time.sleep(LONGEST_SECONDS)
    assert client.get("/api/v1/accounts/me", headers=headers).status_code == 200
