"""The audit trail: one row, in the same transaction, for each act of one person on another; and what was refused.

`audit_chain` seals the rows afterwards, `audit_trail` lets auditors search them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from services.shared.ids import new_id_text
from services.shared.many_rows import insert_into, run_many

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.shared.bus.calls import Call


_INSERT = insert_into(
    "audit",
    "id uuid, subject uuid, place text, reason text, before jsonb, after jsonb",
    same="at timestamptz, actor text, address text, session_id uuid, action text, refusal text, call_id text",
)


@dataclasses.dataclass(frozen=True)
class Act:
    """What was done to one person or unit, for `record_many`."""

    subject: uuid.UUID | str | None
    place: str = ""
    reason: str = ""
    before: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: dict[str, Any] = dataclasses.field(default_factory=dict)


def record_many(db: Session, call: Call, acts: Sequence[Act], at: dt.datetime | None = None, refusal: str = "") -> None:
    """As `record` for many at once: one INSERT. `refusal` is the code of what was refused and so not done."""
    if not acts:
        return
    rows = [{"id": new_id_text(), **vars(act), "subject": str(act.subject) if act.subject else None} for act in acts]
    run_many(
        db,
        _INSERT,
        rows,
        at=(at or call.now).isoformat(),
        actor=call.actor.key,
        address=call.actor.address,
        session_id=str(call.actor.session_id) if call.actor.session_id else None,
        action=call.method,
        refusal=refusal,
        call_id=call.call_id,
    )


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
