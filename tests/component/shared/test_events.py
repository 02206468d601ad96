"""Events over a real database: applied once, parked when they fail, bisected in batches, held in an outage."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared import clock
from services.shared.bus import dead_letters, dispatch
from services.shared.bus.calls import Event, Message
from services.shared.ids import new_id
from services.shared.tables import parked
from tests.conftest import Component
from tests.probe import contract

CONSUMERS = {"on_counted": True, "record_tallies": False}


def event(name: str, type_: str = contract.COUNTED) -> Event:
    return Event(new_id(), type_, new_id(), clock.now(), {"name": name, "amount": 1})


def unique(prefix: str = "n") -> str:
    return f"{prefix}{uuid.uuid4().hex}"


def total(probe: Component, table: str, name: str) -> int:
    with probe.database.work() as db:
        found = db.execute(sa.text(f"SELECT total FROM {table} WHERE name = :name"), {"name": name}).scalar()
    return found or 0


def parked_rows(probe: Component, name: str) -> list[Any]:
    with probe.database.work() as db:
        return list(db.execute(sa.select(parked).where(parked.c.body["payload"]["name"].astext == name)).all())


def make_due(probe: Component, name: str) -> None:
    with probe.database.work() as db:
        db.execute(
            sa.update(parked)
            .where(parked.c.body["payload"]["name"].astext == name)
            .values(next_attempt_at=sa.func.now())
        )


def test_a_repeated_event_counts_once(probe: Component) -> None:
    once = event(unique())
    for _ in range(3):
        dispatch.apply_event(probe.database, probe.service, "on_counted", once)
    assert total(probe, "heard", once.payload["name"]) == 1


def test_sabotage_without_the_inbox_it_doubles(probe: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "claim", lambda _db, _consumer, ids: set(ids))
    twice = event(unique())
    for _ in range(2):
        dispatch.apply_event(probe.database, probe.service, "on_counted", twice)
    assert total(probe, "heard", twice.payload["name"]) == 2


def test_a_failing_event_is_parked_and_succeeds_later(probe: Component) -> None:
    bad = event(unique("poison"))
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", bad)
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", bad)  # redelivered: parked once
    (row,) = parked_rows(probe, bad.payload["name"])
    assert (row.attempts, row.error) == (1, "ValueError")
    make_due(probe, bad.payload["name"])
    dispatch.sweep(probe.database, probe.service, CONSUMERS)
    (row,) = parked_rows(probe, bad.payload["name"])
    assert row.attempts == 2
    probe.call("count", {"name": "antidote"})
    make_due(probe, bad.payload["name"])
    dispatch.sweep(probe.database, probe.service, CONSUMERS)
    assert not parked_rows(probe, bad.payload["name"])
    assert total(probe, "heard", bad.payload["name"]) == 1
    with probe.database.work() as db:
        db.execute(sa.text("DELETE FROM counter WHERE name = 'antidote'"))


def test_waiting_for_what_must_come_first_uses_no_attempts(probe: Component) -> None:
    early = event(unique("early"))
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", early)
    for _ in range(3):
        make_due(probe, early.payload["name"])
        dispatch.sweep(probe.database, probe.service, CONSUMERS)
    (row,) = parked_rows(probe, early.payload["name"])
    assert row.attempts == 1
    probe.call("count", {"name": "on-time"})
    make_due(probe, early.payload["name"])
    dispatch.sweep(probe.database, probe.service, CONSUMERS)
    assert total(probe, "heard", early.payload["name"]) == 1


def test_a_batch_with_one_bad_message_parks_only_that_one(probe: Component) -> None:
    good = [event(unique(), contract.TALLIED) for _ in range(20)]
    bad = event(unique("poison"), contract.TALLIED)
    batch = [Message(str(each.id), each.to_wire()) for each in [*good[:13], bad, *good[13:]]]
    for _ in range(2):
        dispatch.apply_batch(probe.database, probe.service, "record_tallies", batch, events=True)
    assert [total(probe, "tallied", each.payload["name"]) for each in good] == [1] * 20
    assert len(parked_rows(probe, bad.payload["name"])) == 1


def test_one_event_twice_in_a_batch_counts_once(probe: Component) -> None:
    once = event(unique(), contract.TALLIED)
    batch = [Message(str(once.id), once.to_wire())] * 3
    dispatch.apply_batch(probe.database, probe.service, "record_tallies", batch, events=True)
    assert total(probe, "tallied", once.payload["name"]) == 1


def test_an_outage_is_held_and_not_parked(probe: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("connection refused"))

    held = event(unique())
    monkeypatch.setattr(dispatch, "claim", away)
    with pytest.raises(sa.exc.OperationalError):
        dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", held)
    monkeypatch.undo()
    assert not parked_rows(probe, held.payload["name"])
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", held)
    assert total(probe, "heard", held.payload["name"]) == 1


def test_parked_events_are_listed_masked_and_replayed(probe: Component) -> None:
    bad = event(f"poison 13800138000 {uuid.uuid4().hex}")
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", bad)
    (listed,) = [each for each in dead_letters.list_parked(probe.database) if each.event_id == bad.id]
    shown = dead_letters.show_parked(probe.database, listed.id)
    assert shown is not None
    assert "13800138000" not in str(shown)
    assert dead_letters.replay_parked(probe.database, [listed], "mended", dry_run=True) == 1
    with probe.database.work() as db:
        db.execute(
            sa.update(parked).where(parked.c.id == listed.id).values(next_attempt_at=sa.text("now() + '1 hour'"))
        )
    assert dead_letters.replay_parked(probe.database, [listed], "mended", dry_run=False) == 1
    probe.call("count", {"name": "antidote"})
    dispatch.sweep(probe.database, probe.service, CONSUMERS)
    assert total(probe, "heard", bad.payload["name"]) == 1
    # A replayed one that had been handled already changes nothing.
    dispatch.apply_event_or_park(probe.database, probe.service, "on_counted", bad)
    assert total(probe, "heard", bad.payload["name"]) == 1
    with probe.database.work() as db:
        db.execute(sa.text("DELETE FROM counter WHERE name = 'antidote'"))
