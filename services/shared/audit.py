"""The audit trail: one row, in the same transaction, for each act of one person on another."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from services.shared.ids import new_id
from services.shared.tables import audit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.shared.bus.calls import Call


@dataclasses.dataclass(frozen=True)
class Act:
    """What was done to one person or unit, for `record_many`."""

    subject: uuid.UUID | None
    place: str = ""
    reason: str = ""
    before: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: dict[str, Any] = dataclasses.field(default_factory=dict)


def record_many(db: Session, call: Call, acts: Sequence[Act], at: dt.datetime | None = None) -> None:
    """As `record` for many at once: one INSERT."""
    if not acts:
        return
    same = {
        "at": at or call.now,
        "actor": call.actor.key,
        "address": call.actor.address,
        "action": call.method,
        "call_id": call.call_id,
    }
    db.execute(sa.insert(audit).inline(), [{"id": new_id(), **same, **vars(act)} for act in acts])


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
    record_many(db, call, [Act(subject, place, reason, before or {}, after or {})], at)
