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


def announce_many(db: Session, event_type: str, events: Sequence[tuple[uuid.UUID, dict[str, Any]]]) -> None:
    """As `announce` for many aggregates at once: one INSERT."""
    _require_contract(event_type, (payload for _, payload in events))
    _insert(db, event_type, events)


def announce_alike(db: Session, event_type: str, events: Sequence[Announced]) -> None:
    """As `announce_many` for payloads that one expression built of checked values; ids may be texts.

    The contract judges one payload of each shape (keys, and types of values); a test has to show that the values fit.
    """
    alike = {(*payload, *map(type, payload.values())): payload for _, payload in events}
    _require_contract(event_type, alike.values())
    _insert(db, event_type, events)


def _require_contract(event_type: str, payloads: Iterable[dict[str, Any]]) -> None:
    schema = _schemas[event_type]
    for payload in payloads:
        if not surely_satisfies(schema, payload) and (faults := schema().validate(payload)):
            raise ValueError(f"{event_type} breaks its contract: {faults}")


def _insert(db: Session, event_type: str, events: Sequence[Announced]) -> None:
    if events:
        rows = [{"id": new_id_text(), "aggregate_id": str(key), "payload": payload} for key, payload in events]
        now = clock.format_instant(clock.now())
        run_many(db, _INSERT, rows, type=event_type, trace=trace.current(), occurred_at=now)
