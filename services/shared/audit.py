"""The audit trail: one row, in the same transaction, for each act of one person on another."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from services.shared.ids import new_id
from services.shared.tables import audit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.shared.bus.calls import Call


def record(
    db: Session,
    call: Call,
    *,
    subject: uuid.UUID | None,
    place: str = "",
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Record who did `call.method` to `subject` at `place`, why, and what changed (ids and states, never personal data)."""
    db.execute(
        sa.insert(audit).inline(),
        {
            "id": new_id(),
            "at": at or call.now,
            "actor": call.actor.key,
            "address": call.actor.address,
            "action": call.method,
            "subject": subject,
            "place": place,
            "reason": reason,
            "before": before or {},
            "after": after or {},
            "call_id": call.call_id,
        },
    )
