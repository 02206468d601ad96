"""Replaying dead letters: through the inbox, so that nothing counts twice, and never for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.shared.bus import dead_letters, topology
from services.shared.bus.link import Link
from tests.bus.broker import wait_until
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
def link_to_broker(stand: Stand) -> Iterator[Link]:
    opened = Link(stand.broker.uri, "test")
    yield opened
    opened.close()


def test_replayed_letters_count_once_and_hopeless_ones_come_back(stand: Stand, link_to_broker: Link) -> None:
    stand.start()
    dead = topology.dead_queue(stand.events_queue)
    repaired = stand.event(stand.done, {"item": "repaired"})
    handled = stand.event(stand.done, {"item": "handled-before"})
    stand.broker.publish(handled, stand.done, topology.EVENTS)
    stand.journal.wait_for("done", "handled-before")
    for letter in (repaired, repaired, handled, b"never JSON"):
        stand.broker.publish(letter, dead)
    stand.broker.wait_for_depth(dead, 4)

    assert dead_letters.replay_dead(link_to_broker, dead, stand.events_queue, dry_run=True) == 4
    assert stand.broker.depth(dead) == 4
    assert dead_letters.replay_dead(link_to_broker, dead, stand.events_queue, dry_run=False) == 4

    wait_until(lambda: stand.applied("repaired"), "the repaired one")
    stand.broker.wait_for_depth(dead, 1)
    assert stand.applied("repaired") == stand.applied("handled-before") == 1


def test_looking_at_letters_masks_them_and_leaves_them(stand: Stand, link_to_broker: Link) -> None:
    stand.start()
    dead = topology.dead_queue(stand.events_queue)
    stand.broker.publish({"payload": {"name": "张伟", "note": "call 13800138000"}, "id_no": "11010519491231002X"}, dead)
    stand.broker.publish(b"13800138000 is not JSON", dead)
    stand.broker.wait_for_depth(dead, 2)
    for _ in range(3):
        shown = json.dumps(dead_letters.peek(link_to_broker, dead), ensure_ascii=False)
        assert not any(secret in shown for secret in ("张伟", "13800138000", "11010519491231002X"))
    stand.broker.wait_for_depth(dead, 2)


def test_the_refusal_of_a_message_tells_why(stand: Stand, link_to_broker: Link) -> None:
    stand.start()
    stand.broker.publish(b"[]", stand.events_queue)
    stand.broker.publish(b"[]", stand.rpc_queue, reply_to="x")
    for queue, why in ((stand.events_queue, "rejected"), (stand.rpc_queue, "BadBodyError")):
        stand.broker.wait_for_depth(topology.dead_queue(queue), 1)
        assert dead_letters.peek(link_to_broker, topology.dead_queue(queue))[0]["why"] == why
