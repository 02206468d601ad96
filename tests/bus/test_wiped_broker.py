"""PostgreSQL is the only truth: a broker that lost everything gets it again."""

from __future__ import annotations

import pytest

from tests.bus.broker import Broker, wait_until
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_our_bus_sends_again_what_a_wiped_broker_lost(administered: Broker, stand: Stand) -> None:
    stand.start()
    handled = [f"handled{number}" for number in range(5)]
    waiting = [f"waiting{number}" for number in range(5)]
    stand.announce(stand.done, *({"item": item} for item in handled))
    wait_until(lambda: all(stand.applied(item) for item in handled), "the first events")
    # Both event workers are busy: what follows lies in the queue, and the outbox counts it as sent.
    stand.announce(stand.done, *({"item": f"slow{number}", "seconds": 2} for number in range(2)))
    stand.announce(stand.done, *({"item": item} for item in waiting))
    stand.journal.wait_for("begun", "slow1")
    wait_until(lambda: stand.effects.unsent(stand.done) == 0, "the relay")

    administered.wipe()
    assert administered.state(stand.events_queue) is None

    stand.announce(stand.done, {"item": "after"})
    everything = [*handled, "slow0", "slow1", *waiting, "after"]
    wait_until(lambda: all(stand.applied(item) for item in everything), "everything, from the outbox")
    stand.broker.wait_for_depth(stand.events_queue, 0)
    assert {stand.applied(item) for item in everything} == {1}, "sent again, and the inbox knew it"
    assert stand.call("work", {"item": "a"})["item"] == "a"


def test_our_bus_declares_what_is_missing_when_it_starts(administered: Broker, stand: Stand) -> None:
    stand.start().kill()
    administered.wipe()
    stand.start()
    stand.announce(stand.done, {"item": "a"})
    stand.journal.wait_for("done", "a")
