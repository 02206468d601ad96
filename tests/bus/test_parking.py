"""Failing messages never destroy good ones: bisected batches, parked culprits, held work. Without a broker."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from services.shared import clock
from services.shared.bus import Event, Message, NotYet, batch_consumer, dispatch, event_handler
from services.shared.bus.dispatch import NotParkedError
from services.shared.ids import new_id
from tests.bus.database import Effects, effect

pytestmark = pytest.mark.postgres


class Handler:
    """Applies what it is given, and fails on the items named in `bad`."""

    def __init__(self) -> None:
        self.name = f"bustest-{uuid.uuid4().hex[:8]}"
        self.bad: dict[str, Exception] = {}
        self.batches: list[int] = []

    @event_handler("bustest.done")
    def on_done(self, db: Any, event: Event) -> None:
        self._apply(db, event.payload["item"])

    @batch_consumer("bustest.counted")
    def record_counted(self, db: Any, messages: list[Message]) -> None:
        self.batches.append(len(messages))
        for message in messages:
            self._apply(db, message.event().payload["item"])

    @batch_consumer(stream="study")
    def record_stream(self, db: Any, messages: list[Message]) -> None:
        for message in messages:
            self._apply(db, message.body["item"])

    def _apply(self, db: Any, item: str) -> None:
        db.execute(sa.insert(effect).values(process=self.name, item=item))
        if item in self.bad:
            raise self.bad[item]


class Case:
    def __init__(self, effects: Effects) -> None:
        self.handler = Handler()
        self.database = effects.database
        self._effects = effects

    def event(self, item: str) -> Event:
        return Event(new_id(), "bustest.done", new_id(), clock.now(), {"item": item})

    def batch(self, *items: str) -> list[Message]:
        return [Message(str(event.id), event.to_wire()) for event in map(self.event, items)]

    def apply_batch(
        self, messages: list[Message], method: str = "record_counted", *, events: bool = True
    ) -> list[Message]:
        return dispatch.apply_batch(self.database, self.handler, method, messages, events=events)

    def applied(self, item: str) -> int:
        return self._effects.count(self.handler.name, item)

    def parked(self, method: str) -> list[Any]:
        return self._effects.parked(f"{self.handler.name}.{method}")

    def make_due(self) -> None:
        with self.database.work() as db:
            db.execute(
                sa.text("UPDATE parked SET next_attempt_at = now() WHERE consumer LIKE :consumer"),
                {"consumer": f"{self.handler.name}.%"},
            )

    def sweep(self) -> int:
        consumers = {"on_done": True, "record_counted": False, "record_stream": False}
        return dispatch.sweep(self.database, self.handler, consumers)


@pytest.fixture
def case(effects: Effects) -> Case:
    return Case(effects)


def test_only_the_culprits_of_a_batch_are_parked(case: Case) -> None:
    items = [f"item{number}" for number in range(40)]
    case.handler.bad = {"item7": ValueError(), "item31": ValueError()}
    messages = case.batch(*items)
    assert case.apply_batch(messages) == []
    assert {item for item in items if case.applied(item) == 1} == set(items) - set(case.handler.bad)
    assert [case.applied(item) for item in case.handler.bad] == [0, 0]
    assert {row.body["payload"]["item"] for row in case.parked("record_counted")} == set(case.handler.bad)


def test_a_repeated_batch_changes_nothing(case: Case) -> None:
    messages = case.batch("a", "b")
    case.apply_batch([*messages, messages[0]])
    case.apply_batch(messages)
    assert (case.applied("a"), case.applied("b")) == (1, 1)


def test_a_repaired_batch_message_leaves_the_parking_place(case: Case) -> None:
    case.handler.bad = {"a": ValueError()}
    case.apply_batch(case.batch("a", "b"))
    case.make_due()
    assert case.sweep() == 0
    assert case.parked("record_counted")[0].attempts == 2

    case.handler.bad = {}
    case.make_due()
    assert case.sweep() == 1
    assert case.applied("a") == 1
    assert case.parked("record_counted") == []


def test_the_pauses_between_attempts_grow(case: Case) -> None:
    case.handler.bad = {"a": ValueError()}
    dispatch.apply_event_or_park(case.database, case.handler, "on_done", case.event("a"))
    pauses = []
    for _ in range(6):
        case.make_due()
        case.sweep()
        with case.database.work() as db:
            waiting = sa.text(
                "SELECT extract(epoch FROM next_attempt_at - now()) FROM parked WHERE consumer = :consumer"
            )
            pauses.append(
                round(float(db.execute(waiting, {"consumer": f"{case.handler.name}.on_done"}).scalar_one()), -1)
            )
    assert pauses == [10, 60, 600, 3600, 3600, 3600]


def test_an_event_that_came_too_early_uses_no_attempts(case: Case) -> None:
    case.handler.bad = {"a": NotYet()}
    dispatch.apply_event_or_park(case.database, case.handler, "on_done", case.event("a"))
    for _ in range(5):
        case.make_due()
        case.sweep()
    assert case.parked("on_done")[0].attempts == 1


def test_an_event_parked_twice_is_parked_once(case: Case) -> None:
    case.handler.bad = {"a": ValueError()}
    event = case.event("a")
    for _ in range(3):
        dispatch.apply_event_or_park(case.database, case.handler, "on_done", event)
    assert len(case.parked("on_done")) == 1
    case.handler.bad = {}
    case.make_due()
    case.sweep()
    dispatch.apply_event_or_park(case.database, case.handler, "on_done", event)
    assert case.applied("a") == 1


def test_an_outage_parks_nothing(case: Case) -> None:
    gone = OperationalError("SELECT", {}, Exception("server closed the connection unexpectedly"))
    case.handler.bad = {"a": gone}
    with pytest.raises(OperationalError):
        dispatch.apply_event_or_park(case.database, case.handler, "on_done", case.event("a"))
    with pytest.raises(OperationalError):
        case.apply_batch(case.batch("a", "b"))
    assert case.parked("on_done") == case.parked("record_counted") == []
    assert case.applied("b") == 0, "held as a whole"


def test_what_cannot_even_be_parked_is_named_and_stops_nobody(case: Case) -> None:
    case.handler.bad = {"bad": ValueError()}
    unstorable = Message("x", {"item": "bad", "note": "\x00"})
    stream = [Message("a", {"item": "a"}), unstorable, Message("b", {"item": "b"})]
    assert case.apply_batch(stream, "record_stream", events=False) == [unstorable]
    assert (case.applied("a"), case.applied("b")) == (1, 1)

    event = Event(new_id(), "bustest.done", new_id(), clock.now(), {"item": "bad", "note": "\x00"})
    with pytest.raises(NotParkedError):
        dispatch.apply_event_or_park(case.database, case.handler, "on_done", event)
