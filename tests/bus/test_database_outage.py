"""The database goes away: work is held and retried; it uses up no attempts, and nothing is parked."""

from __future__ import annotations

import pytest

from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.bus.broker import wait_until
from tests.bus.fault_link import FaultLink
from tests.bus.stand import Stand

pytestmark = pytest.mark.rabbitmq


def test_our_bus_holds_its_work_while_the_database_is_away(stand: Stand, database_link: FaultLink) -> None:
    service = stand.start(DATABASE_URL=database_link.uri)
    stand.publish_event(stand.done, {"item": "before"})
    stand.journal.wait_for("done", "before")

    database_link.refuse()
    for number in range(4):
        stand.publish_event(stand.done, {"item": f"single{number}"})
        stand.publish_event(stand.counted, {"item": f"batch{number}"})
    service.wait_for_log("work_held")
    with pytest.raises(Unavailable, match=r"shared\.database_unavailable"):
        stand.call("record", {"item": "refused"}, command_id=str(new_id()))
    assert stand.call("work", {"item": "needs no database"})

    database_link.restore()
    items = [f"{kind}{number}" for kind in ("single", "batch") for number in range(4)]
    wait_until(lambda: all(stand.applied(item) for item in items), "the held work")
    assert {stand.applied(item) for item in items} == {1}
    assert stand.parked() == stand.parked("record_counted") == []
    assert stand.call("record", {"item": "again"}, command_id=str(new_id())) == {"item": "again"}


def test_our_bus_gives_held_work_back_when_it_stops(stand: Stand, database_link: FaultLink) -> None:
    service = stand.start(DATABASE_URL=database_link.uri, STOP_SECONDS=5)
    database_link.refuse()
    stand.publish_event(stand.done, {"item": "a"})
    service.wait_for_log("work_held")
    service.terminate()
    service.wait()
    stand.broker.wait_for_depth(stand.events_queue, 1)
    stand.start()
    stand.journal.wait_for("done", "a")
    assert stand.applied("a") == 1


def test_our_bus_starts_while_the_database_is_away(stand: Stand, database_link: FaultLink) -> None:
    database_link.refuse()
    stand.start(DATABASE_URL=database_link.uri)
    assert stand.call("work", {"item": "needs no database"})
    stand.publish_event(stand.done, {"item": "a"})
    stand.announce(stand.done, {"item": "b"})
    database_link.restore()
    stand.journal.wait_for("done", "a")
    stand.journal.wait_for("done", "b")
