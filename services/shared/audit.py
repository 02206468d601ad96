"""The audit trail: one row, in the same transaction, for each act of one person on another; and what was refused.

`audit_chain` seals the rows afterwards, `audit_trail` lets auditors search them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from services.shared.ids import new_id

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.shared.bus.calls import Call


# One document for all rows, as in `outbox`: a statement for each would cost this process ten times as much.
_COLUMNS = (
    "id uuid, at timestamptz, actor text, address text, session_id uuid, action text, refusal text, call_id text,"
    " subject uuid, place text, reason text, before jsonb, after jsonb"
)
_NAMES = ", ".join(column.split()[0] for column in _COLUMNS.split(","))
_INSERT = sa.text(
    f"INSERT INTO audit ({_NAMES}) SELECT {_NAMES}"  # noqa: S608  our own names
    f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new ({_COLUMNS})"
)


@dataclasses.dataclass(frozen=True)
class Act:
    """What was done to one person or unit, for `record_many`."""

    subject: uuid.UUID | None
    place: str = ""
    reason: str = ""
    before: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: dict[str, Any] = dataclasses.field(default_factory=dict)


def record_many(db: Session, call: Call, acts: Sequence[Act], at: dt.datetime | None = None, refusal: str = "") -> None:
    """As `record` for many at once: one INSERT. `refusal` is the code of what was refused and so not done."""
    if not acts:
        return
    same = {
        "at": (at or call.now).isoformat(),
        "actor": call.actor.key,
        "address": call.actor.address,
        "session_id": str(call.actor.session_id) if call.actor.session_id else None,
        "action": call.method,
        "refusal": refusal,
        "call_id": call.call_id,
    }
    rows = [
        {"id": str(new_id()), **same, **vars(act), "subject": str(act.subject) if act.subject else None} for act in acts
    ]
    db.execute(_INSERT, {"rows": json.dumps(rows)})


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
