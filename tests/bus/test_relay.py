"""The relay: what is committed is sent, at once, and sent again rather than lost."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from services.shared import clock
from services.shared.bus import topology
from services.shared.ids import new_id
from services.shared.tables import outbox
from tests.bus.broker import wait_until
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


@pytest.mark.parametrize("environment", [{}, {"WITHOUT_INBOX": 1}], ids=["ours", "without inbox"])
def test_a_crash_between_confirm_and_mark_sends_twice_and_counts_once(
    stand: Stand, environment: dict[str, int]
) -> None:
    stand.announce(stand.done, {"item": "a"})
    stand.launch(CRASH_AFTER_CONFIRM=1)
    stand.journal.wait_for("confirmed")
    # The dying process may just have handled it, for the broker delivers before it confirms; it may even have died between
    # its commit and its acknowledgement, and then the first copy is both done and back in its queue.
    wait_until(
        lambda: stand.broker.depth(stand.events_queue) + stand.applied("a") >= 1,
        "the first copy, back in its queue or done",
    )
    assert stand.effects.unsent(stand.done) == 1, "the broker has it, the outbox does not know"

    service = stand.start(**environment)
    wait_until(lambda: stand.effects.unsent(stand.done) == 0, "the second copy")
    stand.broker.wait_for_depth(stand.events_queue, 0)
    service.terminate()  # lets running work finish
    service.wait()
    times = stand.applied("a")
    assert times > 1 if environment else times == 1


def test_a_commit_wakes_the_relay(stand: Stand) -> None:
    stand.start(POLL_SECONDS=300)
    stand.announce(stand.done, {"item": "a"})
    stand.journal.wait_for("done", "a")


def test_without_its_notice_an_event_waits_for_the_next_look(stand: Stand) -> None:
    stand.start(POLL_SECONDS=300)
    # It consumes before its relay has looked for the first time: that look, and the one after it, must be over.
    stand.announce(stand.done, {"item": "before"})
    stand.journal.wait_for("done", "before")
    wait_until(lambda: stand.effects.unsent(stand.done) == 0, "its mark")
    time.sleep(1.5)
    row = {
        "id": new_id(),
        "type": stand.done,
        "aggregate_id": new_id(),
        "payload": {"item": "a"},
        "occurred_at": clock.now(),
    }
    with stand.effects.database.work() as db:
        db.execute(sa.insert(outbox).inline(), row)
    time.sleep(1.5)
    assert stand.effects.unsent(stand.done) == 1, "so it is the notice that wakes the relay, not luck"


def test_several_relays_share_the_work(stand: Stand) -> None:
    stand.start()
    stand.start()
    items = [f"item{number}" for number in range(300)]
    for part in range(0, 300, 30):
        stand.announce(stand.counted, *({"item": item} for item in items[part : part + 30]))
    wait_until(lambda: all(stand.applied(item) for item in items), "all of them")
    assert {stand.applied(item) for item in items} == {1}


def test_events_of_one_commit_arrive_in_their_order(stand: Stand) -> None:
    stand.start()
    items = [f"item{number:03}" for number in range(100)]
    stand.announce(stand.counted, *({"item": item} for item in items))
    wait_until(lambda: stand.applied(items[-1]), "the last")
    assert stand.effects.order(stand.short) == items


def test_a_full_queue_holds_up_no_other_event(stand: Stand) -> None:
    stand.start()
    full = f"full-{stand.short}"
    limit = {"x-max-length": 1, "x-overflow": "reject-publish"}
    stand.broker.declare(full, **limit)
    stand.broker.bind(full, topology.EVENTS, stand.done)
    stand.announce(stand.done, {"item": "fills it"})
    stand.broker.wait_for_depth(full, 1)

    stand.announce(stand.done, {"item": "refused"})
    stand.announce(stand.counted, *({"item": f"item{number}"} for number in range(10)))
    wait_until(lambda: stand.effects.unsent(stand.counted) == 0, "the others, sent and marked")
    assert stand.effects.unsent(stand.done) == 1

    stand.broker.take(full)
    wait_until(lambda: stand.effects.unsent(stand.done) == 0, "the refused one")
    assert stand.applied("refused") == 1
