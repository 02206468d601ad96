"""Announcing events: a row in the same transaction as the change; the relay (`bus/relay.py`) carries it out."""

from __future__ import annotations

import json
import uuid
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema
from sqlalchemy.orm import Session

from services.shared import clock, trace
from services.shared.ids import new_id
from services.shared.payload_checks import surely_satisfies

# One document for all rows: a statement for each would be answered one by one, which costs this process ten times as much.
# Rows come out of it in their order, in which the table numbers them.
_INSERT = sa.text(
    "INSERT INTO outbox (id, type, aggregate_id, payload, trace, occurred_at)"
    " SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new"
    " (id uuid, type text, aggregate_id uuid, payload jsonb, trace text, occurred_at timestamptz)"
)

_schemas: dict[str, type[Schema]] = {}


def register(events: dict[str, type[Schema]]) -> None:
    """Tell the payload schema of each event type of this process's services (done when a service starts)."""
    _schemas.update(events)


def announce(db: Session, event_type: str, aggregate_id: uuid.UUID, payload: dict[str, Any]) -> None:
    """Put an event into the outbox. `payload` is plain JSON and must satisfy the contract.

    Raises ValueError for a payload that breaks the contract: a defect of ours, so the transaction must not commit.
    """
    announce_many(db, event_type, [(aggregate_id, payload)])


def announce_many(db: Session, event_type: str, events: list[tuple[uuid.UUID, dict[str, Any]]]) -> None:
    """As `announce` for many aggregates at once: one INSERT."""
    if not events:
        return
    schema = _schemas[event_type]
    for _, payload in events:
        if not surely_satisfies(schema, payload) and (faults := schema().validate(payload)):
            raise ValueError(f"{event_type} breaks its contract: {faults}")
    now, traceparent = clock.format_instant(clock.now()), trace.current()
    rows = [
        {
            "id": str(new_id()),
            "type": event_type,
            "aggregate_id": str(aggregate_id),
            "payload": payload,
            "trace": traceparent,
            "occurred_at": now,
        }
        for aggregate_id, payload in events
    ]
    db.execute(_INSERT, {"rows": json.dumps(rows)})
    # Wakes the relays when this transaction commits; PostgreSQL folds equal notices of one transaction.
    db.execute(sa.text("SELECT pg_notify('outbox', '')"))
