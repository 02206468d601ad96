"""N7 no reply_to, N15 bodies that cannot be decoded, N16 forged headers: what a stranger may put into a queue."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest

from services.shared.actor import ANONYMOUS, ActorSigner, service_actor
from services.shared.bus import topology
from services.shared.keys import KeyRing
from tests.bus.broker import Broker, wait_until
from tests.bus.processes import Journal, Launcher
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq

ID_NUMBER = "11010519491231002X"  # the sample of GB 11643-1999, annex A; nobody's


def test_stock_nameko_dies_of_a_call_without_a_reply_address_at_each_start(
    broker: Broker, name: str, start: Launcher
) -> None:
    first = start("stock/calls.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish({"args": ["a"], "kwargs": {}}, f"{name}.work", "nameko-rpc")
    assert first.wait() != 0
    assert broker.depth(f"rpc-{name}") == 1
    assert start("stock/calls.py").wait() != 0, "the message waits for the next start"


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "a", "id_number": "' + ID_NUMBER,
        '{"id": "a", "id_number": {"__type__": "' + ID_NUMBER + '", "__value__": 1}}',
    ],
    ids=["broken JSON", "a type that kombu does not know"],
)
def test_stock_nameko_loses_what_it_cannot_decode_and_logs_the_body(
    broker: Broker, name: str, start: Launcher, journal: Journal, body: str
) -> None:
    queue = f"evt-{name}_source-done--{name}.on_done"
    service = start("stock/events.py")
    broker.wait_for_consumer(queue)
    broker.publish(body, "done", f"{name}_source.events")
    service.wait_for_log(ID_NUMBER)
    service.kill()
    assert journal.count("begun") == 0
    assert broker.depth(queue) == 0, "acknowledged and gone"


def test_stock_nameko_believes_any_header(broker: Broker, name: str, start: Launcher, journal: Journal) -> None:
    start("stock/trusting.py")
    broker.wait_for_consumer(f"rpc-{name}")
    broker.publish(
        {"args": ["a"], "kwargs": {}}, f"{name}.work", "nameko-rpc", headers={"role": "NATIONAL_OPERATOR"}, reply_to="x"
    )
    journal.wait_for("role", "NATIONAL_OPERATOR")


def test_our_bus_puts_a_call_without_a_reply_address_aside(stand: Stand) -> None:
    service = stand.start()
    stand.broker.publish({"method": "work", "arguments": {"item": "a"}}, stand.rpc_queue, headers=stand.headers())
    assert stand.call("work", {"item": "b"})["item"] == "b"
    stand.broker.wait_for_depth(topology.dead_queue(stand.rpc_queue), 1)
    assert stand.journal.count("done", "a") == 0
    assert service.running


def hostile_events(stand: Stand) -> dict[str, bytes]:
    """Bodies for the event queue, none of which is an event."""
    event = json.dumps(stand.event(stand.done, {"item": "hostile", "id_number": ID_NUMBER}))
    return {
        "broken JSON": event[:-1].encode(),
        "not JSON": ID_NUMBER.encode(),
        "empty": b"",
        "not UTF-8": b'{"id": "\xff\xfe"}',
        "pickle": pickle.dumps({"item": ID_NUMBER}),
        "not an object": json.dumps([ID_NUMBER]).encode(),
        "kombu's own notation": b'{"__type__": "decimal", "__value__": "NaN"}',
        "NaN": event.replace('"hostile"', "NaN").encode(),
        "infinite": event.replace('"hostile"', "1e999").encode(),
        "a number without end": event.replace('"hostile"', "9" * 5000).encode(),
        "deep": b"[" * 200_000,
        "deep in the payload": event.replace('"hostile"', "[" * 100_000 + "]" * 100_000).encode(),
        "too large": event.replace("hostile", "x" * (5 * 1024 * 1024)).encode(),
        "no id": event.replace('"id"', '"no_id"').encode(),
        "an id that is none": event.replace('"id": "', '"id": "x').encode(),
        "payload of another type": event.replace('"payload": {', '"payload": [], "other": {').encode(),
        "time without a zone": re.sub(
            r'"occurred_at": "[^"]*"', '"occurred_at": "2023-01-01T00:00:00"', event
        ).encode(),
        "an unknown type": event.replace(stand.done, "bustest.unknown").encode(),
        "NUL, which no table can hold": event.replace("hostile", "\\u0000").encode(),
        "half a surrogate pair": event.replace("hostile", "\\ud800").encode(),
    }


def test_our_bus_keeps_what_it_cannot_read_and_logs_none_of_it(stand: Stand) -> None:
    service = stand.start()
    bodies = hostile_events(stand)
    for body in bodies.values():
        stand.broker.publish(body, stand.events_queue)
    stand.publish_event(stand.done, {"item": "good"})
    stand.journal.wait_for("done", "good")
    stand.broker.wait_for_depth(topology.dead_queue(stand.events_queue), len(bodies))
    assert stand.broker.depth(stand.events_queue) == 0
    assert stand.journal.count("begun") == 1
    assert ID_NUMBER not in service.log
    assert service.running


def test_our_bus_puts_unreadable_requests_and_batches_aside(stand: Stand) -> None:
    stand.start()
    bodies = hostile_events(stand)
    for body in bodies.values():
        stand.broker.publish(body, stand.rpc_queue, headers=stand.headers(), reply_to="x")
        stand.broker.publish(body.replace(stand.done.encode(), stand.counted.encode()), stand.batch_queue)
    stand.publish_event(stand.counted, {"item": "good"})
    wait_until(lambda: stand.applied("good"), "the good event of the batch")
    stand.broker.wait_for_depth(topology.dead_queue(stand.batch_queue), len(bodies))
    stand.broker.wait_for_depth(topology.dead_queue(stand.rpc_queue), len(bodies))
    assert stand.call("work", {"item": "a"})["item"] == "a"


def test_our_bus_takes_kombus_notation_for_plain_data(stand: Stand) -> None:
    stand.start()
    stand.publish_event(stand.done, {"item": "a", "note": {"__type__": "no such type", "__value__": 1}})
    stand.journal.wait_for("done", "a")
    assert stand.applied("a") == 1


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        ({"actor": ""}, "shared.bad_actor_token"),
        ({"actor": "x.y"}, "shared.bad_actor_token"),
        ({"actor": None, "role": "NATIONAL_OPERATOR", "user_id": "admin"}, "shared.bad_actor_token"),
    ],
    ids=["none", "nonsense", "stock context headers"],
)
def test_our_bus_believes_no_header_but_a_signed_actor(stand: Stand, forged: dict[str, Any], code: str) -> None:
    stand.start()
    reply = stand.raw_call("work", {"item": "a"}, **forged)
    assert reply["error"]["code"] == code
    assert stand.journal.count("done", "a") == 0


def test_our_bus_refuses_foreign_and_altered_tokens(stand: Stand, keyring: KeyRing) -> None:
    stand.start()
    other = ActorSigner("org", keyring.signing_key("actor.org"))
    token = stand.headers()["actor"]
    body, signature = token.split(".")
    forged = [
        ActorSigner("gateway", keyring.signing_key("actor.org")).sign(ANONYMOUS, stand.name),  # another's key
        ActorSigner("gateway", keyring.signing_key("actor.gateway")).sign(ANONYMOUS, "org"),  # for another service
        other.sign(service_actor("credits"), stand.name),  # one service speaking for another
        f"{body}A.{signature}",
        f"{body}.",
    ]
    for actor in forged:
        assert stand.raw_call("work", {"item": "a"}, actor=actor)["error"]["code"] == "shared.bad_actor_token"
    assert stand.raw_call("work", {"item": "b"}, role="NATIONAL_OPERATOR")["result"]["actor"].startswith("anonymous")
    assert stand.journal.count("done", "a") == 0
