"""The service under test: slow, blocking or failing, as the message says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import eventlet
import sqlalchemy as sa
from eventlet import patcher

from services.shared.bus import (
    BusProvider,
    DatabaseProvider,
    batch_consumer,
    command,
    event_handler,
    offload,
    periodic,
    query,
)
from services.shared.errors import Unavailable
from services.shared.policy import anyone
from tests.bus.database import effect
from tests.bus.ours.contract import COUNTED, DONE, NAME

blocking = patcher.original("time")


def note(word: str, item: object) -> None:
    """Append one line; a single small O_APPEND write is never torn."""
    with Path(os.environ["JOURNAL"]).open("a", encoding="utf-8") as journal:
        journal.write(f"{word} {item} {os.getpid()}\n")


def act(db: Any, item: str) -> None:
    db.execute(sa.insert(effect).values(process=NAME, item=item))


def obey(order: dict[str, Any]) -> None:
    """What the message asks for: take time, block the event loop, or fail until a file appears."""
    eventlet.sleep(order.get("seconds", 0))
    blocking.sleep(order.get("blocked_seconds", 0))
    offload(blocking.sleep, order.get("offloaded_seconds", 0))
    if (repaired := order.get("fails_until")) and not Path(repaired).exists():
        raise RuntimeError("the handler fails")


class Recorder:
    name = f"bustest-{NAME}"
    policies = dict.fromkeys(("work", "record", "ask_neighbour", "answer_oddly"), anyone())
    database = DatabaseProvider()
    bus = BusProvider()

    @query
    def work(self, call):
        note("done", call.arguments["item"])
        obey(call.arguments)
        return {"item": call.arguments["item"], "actor": call.actor.key}

    @command
    def record(self, call):
        item = call.arguments["item"]
        note("begun", item)
        reply = self.database.commit_once(call, lambda db: act(db, item) or {"item": item})
        note("done", item)
        obey(call.arguments)  # the way back to the caller
        return reply

    @query
    def ask_neighbour(self, call):
        try:
            return self.bus.ask(call.arguments["neighbour"], "work", call.arguments, call)
        except Unavailable as error:
            note("gave-up", error.code)
            raise

    @query
    def answer_oddly(self, call):
        return {"not JSON": object()}

    @event_handler(DONE)
    def on_done(self, db, event):
        note("begun", event.payload["item"])
        act(db, event.payload["item"])
        obey(event.payload)
        note("done", event.payload["item"])

    @batch_consumer(COUNTED, max_messages=50, max_wait_seconds=0.1)
    def record_counted(self, db, messages):
        note("batch", len(messages))
        for message in messages:
            payload = message.event().payload
            act(db, payload["item"])
            obey(payload)

    if os.environ.get("TICK_SECONDS"):

        @periodic(float(os.environ["TICK_SECONDS"]), job=f"tick-{NAME}")
        def tick(self, now):
            note("tick-begun", "season")
            eventlet.sleep(0.15)
            note("tick-done", "season")
