"""What the bus promises on every transport, as short scenarios; `bus_host.py` runs them beside a probe service.

This module imports no eventlet: the tests read the scenarios' names from it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from services.shared import clock
from services.shared.bus import topology
from services.shared.bus.client import DefectError
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id
from tests.probe import contract

Scenario = Callable[[Any], None]
COMMON: dict[str, Scenario] = {}
# Promises that only RabbitMQ keeps: each must hold there and fail in memory, so this list is proved, not claimed.
ONLY_RABBITMQ: dict[str, Scenario] = {}


def common(scenario: Scenario) -> Scenario:
    COMMON[scenario.__name__] = scenario
    return scenario


def only_rabbitmq(scenario: Scenario) -> Scenario:
    ONLY_RABBITMQ[scenario.__name__] = scenario
    return scenario


def fresh(prefix: str = "item") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def event(name: str, event_id: uuid.UUID | None = None, event_type: str = contract.COUNTED) -> dict[str, Any]:
    return {
        "id": str(event_id or new_id()),
        "type": event_type,
        "aggregate_id": str(new_id()),
        "occurred_at": clock.format_instant(clock.now()),
        "payload": {"name": name, "amount": 1},
    }


def refusal(kind: type[Exception], act: Callable[[], Any]) -> Any:
    """The refusal of that kind which `act` must raise."""
    try:
        result = act()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got {result!r}")


# --- calls ------------------------------------------------------------------------------------------------------------


@common
def a_query_is_answered_with_its_arguments_unchanged(stage: Any) -> None:
    arguments = {"text": "张伟 𠮷 \u2028\n\"'\\", "nested": [{"a": [None, True, 1.5]}], "large": 2**53, "": "empty key"}
    assert stage.call("echo", arguments) == arguments


@common
def data_in_kombus_notation_stays_plain_data(stage: Any) -> None:
    arguments = {"value": {"__type__": "uuid", "__value__": "not one"}}
    assert stage.call("echo", arguments) == arguments


@common
def the_actor_arrives(stage: Any) -> None:
    assert stage.call("who_am_i", {})["kind"] == "ANONYMOUS"


@common
def a_refusal_keeps_its_kind_code_field_and_detail(stage: Any) -> None:
    error = refusal(Conflict, lambda: stage.call("refuse", {}))
    assert (error.code, error.field, error.detail) == ("probe.refused", "name", "as asked")


@common
def a_defect_tells_nothing_of_itself(stage: Any) -> None:
    error = refusal(DefectError, lambda: stage.call("fail", {}))
    assert "138" not in repr(error)
    assert "SELECT" not in repr(error)


@common
def an_unknown_method_is_not_found(stage: Any) -> None:
    for method in ("no_such_method", "__class__", "database", ""):
        refusal(NotFound, lambda method=method: stage.call(method, {}))


@common
def wrong_arguments_are_named(stage: Any) -> None:
    assert refusal(InvalidInput, lambda: stage.call("count", {"name": 5}, command_id=fresh())).field == "name"


@common
def a_forged_actor_is_refused(stage: Any) -> None:
    error = refusal(NotAllowed, lambda: stage.call("echo", {}, actor_token="forged.token"))
    assert error.code == "shared.bad_actor_token"


@common
def a_repeated_command_gets_its_first_reply_and_acts_once(stage: Any) -> None:
    name, command_id = fresh(), fresh()
    replies = [stage.call("count", {"name": name}, command_id=command_id) for _ in range(3)]
    assert replies == [{"total": 1}] * 3
    assert stage.total("counter", name) == 1


@common
def a_reused_key_with_another_body_is_refused(stage: Any) -> None:
    name, command_id = fresh(), fresh()
    stage.call("count", {"name": name}, command_id=command_id)
    error = refusal(InvalidInput, lambda: stage.call("count", {"name": name, "amount": 2}, command_id=command_id))
    assert error.code == "shared.key_reused"


@common
def a_caller_waits_no_longer_than_its_deadline(stage: Any) -> None:
    begun = time.monotonic()
    arguments = {"name": fresh(), "seconds": 1.0}
    error = refusal(Unavailable, lambda: stage.call("sleep_then_count", arguments, command_id=fresh(), timeout=0.3))
    assert error.code == "shared.deadline"
    assert time.monotonic() - begun < 5
    assert stage.call("echo", {"after": 1}) == {"after": 1}, "a late reply disturbs nobody"


@common
def an_expired_request_is_not_executed(stage: Any) -> None:
    name = fresh()
    stage.send_request("count", {"name": name}, deadline=time.time() - 1, command_id=fresh())
    assert stage.call("echo", {}) == {}
    assert stage.total("counter", name) == 0


@common
def many_callers_get_their_own_answers(stage: Any) -> None:
    items = [{"item": number} for number in range(60)]
    assert stage.in_parallel(lambda item: stage.call("echo", item), items) == items


@common
def a_request_that_is_none_stops_nobody(stage: Any) -> None:
    for body in (b"{", b"[]", b"null", b"[" * 100_000, b'{"method": 5}', b'{"arguments": {}}'):
        stage.send_raw("", topology.rpc_queue(contract.SERVICE), body)
    assert stage.call("echo", {"a": 1}) == {"a": 1}


# --- events -----------------------------------------------------------------------------------------------------------


@common
def an_announced_event_is_handled_once(stage: Any) -> None:
    name = fresh()
    stage.call("count", {"name": name}, command_id=fresh())
    stage.wait(lambda: stage.total("heard", name) == 1)


@common
def a_rolled_back_command_announces_nothing(stage: Any) -> None:
    name = fresh()
    refusal(Exception, lambda: stage.call("count", {"name": name, "amount": 2**40}, command_id=fresh()))
    marker = fresh()
    stage.call("count", {"name": marker}, command_id=fresh())
    stage.wait(lambda: stage.total("heard", marker) == 1)
    assert stage.total("heard", name) == 0


@common
def an_event_delivered_twice_counts_once(stage: Any) -> None:
    name, marker = fresh(), fresh()
    repeated = json.dumps(event(name)).encode()
    for _ in range(3):
        stage.send_raw(topology.EVENTS, contract.COUNTED, repeated)
    stage.send_raw(topology.EVENTS, contract.COUNTED, json.dumps(event(marker)).encode())
    stage.wait(lambda: stage.total("heard", marker) == 1 and stage.total("heard", name) == 1)


@common
def a_failing_event_waits_aside_until_it_succeeds(stage: Any) -> None:
    poison, good = fresh("poison"), fresh()
    stage.send_raw(topology.EVENTS, contract.COUNTED, json.dumps(event(poison)).encode())
    stage.send_raw(topology.EVENTS, contract.COUNTED, json.dumps(event(good)).encode())
    stage.wait(lambda: stage.total("heard", good) == 1)
    assert stage.total("heard", poison) == 0
    stage.call("count", {"name": "antidote"}, command_id=fresh())
    stage.wait(lambda: stage.total("heard", poison) == 1)


@common
def an_event_that_came_too_early_is_tried_again(stage: Any) -> None:
    early = fresh("early")
    stage.send_raw(topology.EVENTS, contract.COUNTED, json.dumps(event(early)).encode())
    stage.call("count", {"name": "on-time"}, command_id=fresh())
    stage.wait(lambda: stage.total("heard", early) == 1)


@common
def a_batch_loses_only_its_culprit(stage: Any) -> None:
    names = [fresh() for _ in range(20)]
    for name in [*names[:10], fresh("poison"), *names[10:], names[0]]:
        body = json.dumps(event(name, uuid.uuid5(uuid.NAMESPACE_URL, name), contract.TALLIED)).encode()
        stage.send_raw(topology.EVENTS, contract.TALLIED, body)
    stage.wait(lambda: all(stage.total("tallied", name) == 1 for name in names))


@common
def an_event_that_is_none_stops_nobody(stage: Any) -> None:
    for body in (b"{", b"[]", b"\xff", b'{"id": "x"}', json.dumps(event("x")).replace("T", " ").encode()[:-1]):
        stage.send_raw(topology.EVENTS, contract.COUNTED, body)
        stage.send_raw(topology.EVENTS, contract.TALLIED, body)
    name = fresh()
    stage.call("count", {"name": name}, command_id=fresh())
    stage.wait(lambda: stage.total("heard", name) == 1)


@common
def the_confirmed_publisher_delivers(stage: Any) -> None:
    name = fresh()
    body = event(name)
    stage.publish_confirmed(topology.EVENTS, contract.COUNTED, body, body["id"])
    stage.wait(lambda: stage.total("heard", name) == 1)


# --- what only RabbitMQ gives -----------------------------------------------------------------------------------------


@only_rabbitmq
def mandatory_a_message_without_a_queue_is_refused(stage: Any) -> None:
    body = event(fresh())
    refusal(Unavailable, lambda: stage.publish_confirmed(topology.STUDY, "no such shard", body, body["id"]))


@only_rabbitmq
def mandatory_an_unknown_service_is_noticed_at_once(stage: Any) -> None:
    error = refusal(Unavailable, lambda: stage.call("echo", {}, service="nobody", timeout=0.5))
    assert error.code == "shared.service_unavailable"


@only_rabbitmq
def an_alternate_exchange_keeps_events_that_nobody_wants(stage: Any) -> None:
    before = stage.depth(topology.UNROUTED)
    stage.send_raw(topology.EVENTS, "probe.unheard_of", json.dumps(event(fresh())).encode())
    stage.wait(lambda: stage.depth(topology.UNROUTED) > before, 3)


@only_rabbitmq
def dead_lettering_keeps_what_cannot_be_read(stage: Any) -> None:
    dead = topology.dead_queue(topology.events_queue(contract.SERVICE))
    before = stage.depth(dead)
    stage.send_raw(topology.EVENTS, contract.COUNTED, b"not JSON")
    stage.wait(lambda: stage.depth(dead) > before, 3)
