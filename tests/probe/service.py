"""The probe's entrypoints: enough to show every behaviour of the bus."""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, fields

from services.shared import outbox
from services.shared.bus import (
    Call,
    DatabaseProvider,
    Event,
    Message,
    NotYet,
    batch_consumer,
    command,
    event_handler,
    query,
)
from services.shared.errors import Conflict
from services.shared.policy import anyone
from tests.probe import contract

SEEING = anyone().seeing_everything("the probe has no persons")


class Named(Schema):
    name = fields.String(required=True)
    amount = fields.Integer(load_default=1)
    seconds = fields.Float(load_default=0.0)


def add(db: Any, table: str, name: str, amount: int) -> None:
    db.execute(
        sa.text(
            f"INSERT INTO {table} (name, total) VALUES (:name, :amount)"
            f" ON CONFLICT (name) DO UPDATE SET total = {table}.total + excluded.total"
        ),
        {"name": name, "amount": amount},
    )


def total(db: Any, table: str, name: str) -> int:
    return db.execute(sa.text(f"SELECT total FROM {table} WHERE name = :name"), {"name": name}).scalar() or 0


class ProbeService:
    name = contract.SERVICE
    policies = dict.fromkeys(("echo", "get_total", "count", "refuse", "fail", "sleep_then_count", "who_am_i"), SEEING)
    database = DatabaseProvider()

    @query
    def echo(self, call: Call) -> dict[str, Any]:
        return call.arguments

    @query
    def who_am_i(self, call: Call) -> dict[str, Any]:
        return {"actor": call.actor.key, "kind": call.actor.kind}

    @query
    def get_total(self, call: Call) -> dict[str, Any]:
        arguments = call.load(Named())
        with self.database.read(call) as db:
            return {"total": total(db, "counter", arguments["name"]), "heard": total(db, "heard", arguments["name"])}

    @command
    def count(self, call: Call) -> dict[str, Any]:
        arguments = call.load(Named())
        return self.database.commit_once(call, lambda db: self._count(db, arguments))

    @command
    def sleep_then_count(self, call: Call) -> dict[str, Any]:
        arguments = call.load(Named())
        time.sleep(arguments["seconds"])
        return self.database.commit_once(call, lambda db: self._count(db, arguments))

    @query
    def refuse(self, call: Call) -> dict[str, Any]:
        raise Conflict("probe.refused", "name", "as asked")

    @query
    def fail(self, call: Call) -> dict[str, Any]:
        raise RuntimeError("SELECT secret FROM somewhere WHERE phone = '13800138000'")

    def _count(self, db: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        add(db, "counter", arguments["name"], arguments["amount"])
        payload = {"name": arguments["name"], "amount": arguments["amount"]}
        outbox.announce(db, contract.COUNTED, uuid.uuid5(uuid.NAMESPACE_URL, arguments["name"]), payload)
        if os.environ.get("PROBE_TALLY"):
            outbox.announce(db, contract.TALLIED, uuid.uuid5(uuid.NAMESPACE_URL, arguments["name"]), payload)
        return {"total": total(db, "counter", arguments["name"])}

    @event_handler(contract.COUNTED)
    def on_counted(self, db: Any, event: Event) -> None:
        name = event.payload["name"]
        if name.startswith("slow"):
            time.sleep(float(name.split("-")[1]))
        if name.startswith("poison") and not total(db, "counter", "antidote"):
            raise ValueError("cannot stomach it")
        if name.startswith("early") and not total(db, "counter", "on-time"):
            raise NotYet
        add(db, "heard", name, event.payload["amount"])

    @batch_consumer(contract.TALLIED, max_messages=50, max_wait_seconds=0.1)
    def record_tallies(self, db: Any, messages: list[Message]) -> None:
        for message in messages:
            payload = message.event().payload
            if payload["name"].startswith("poison"):
                raise ValueError("cannot stomach it")
            add(db, "tallied", payload["name"], payload["amount"])
