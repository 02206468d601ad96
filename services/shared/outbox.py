"""Announcing events: a row in the same transaction as the change; the relay (`bus/relay.py`) carries it out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from marshmallow import Schema
from sqlalchemy.orm import Session

from services.shared import clock, trace
from services.shared.ids import new_id_text
from services.shared.many_rows import insert_into, run_many
from services.shared.payload_checks import surely_satisfies

# Rows come out of the document in their order, in which the table numbers them. The notice wakes the relays when this
# transaction commits; PostgreSQL folds equal notices of one transaction.
_INSERT = (
    "WITH told AS ("
    + insert_into(
        "outbox",
        "id uuid, aggregate_id uuid, payload jsonb",
        same="type text, trace text, occurred_at timestamptz",
    )
    + ") SELECT pg_notify('outbox', '')"
)

Announced = tuple[uuid.UUID | str, dict[str, Any]]

_schemas: dict[str, type[Schema]] = {}


def register(events: dict[str, type[Schema]]) -> None:
    """Tell the payload schema of each event type of this process's services (done when a service starts)."""
    _schemas.update(events)


def announce(db: Session, event_type: str, aggregate_id: uuid.UUID, payload: dict[str, Any]) -> None:
    """Put an event into the outbox. `payload` is plain JSON and must satisfy the contract.

    Raises ValueError for a payload that breaks the contract: a defect of ours, so the transaction must not commit.
    """
    announce_many(db, event_type, [(aggregate_id, payload)])


def announce_many(db: Session, event_type: str, events: Sequence[Announced]) -> None:
    """As `announce` for many aggregates at once: one INSERT. Each payload is judged; ids may be texts."""
    _require_contract(event_type, (payload for _, payload in events))
    if events:
        rows = [{"id": new_id_text(), "aggregate_id": str(key), "payload": payload} for key, payload in events]
        now = clock.format_instant(clock.now())
        run_many(db, _INSERT, rows, type=event_type, trace=trace.current(), occurred_at=now)


def _require_contract(event_type: str, payloads: Iterable[dict[str, Any]]) -> None:
    schema = _schemas[event_type]
    for payload in payloads:
        if not surely_satisfies(schema, payload) and (faults := schema().validate(payload)):
            raise ValueError(f"{event_type} breaks its contract: {faults}")
