"""Taking back what a source brought: by entries that name those they reverse, and with it what it was converted into."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.credits import bulk, queries
from services.credits.models import LedgerEntry
from services.credits.sources import conversion_ref, is_conversion


def standing_awards(db: Session, teacher_id: uuid.UUID, source_ref: str) -> list[LedgerEntry]:
    """The source's awards that nothing has taken back, in their order."""
    changes = queries.list_entries_of_source(db, teacher_id, source_ref)
    taken_back = {change.reversal_of for change in changes}
    return [change for change in changes if change.amount > 0 and change.entry_id not in taken_back]


def next_turn(db: Session, teacher_id: uuid.UUID, source_ref: str) -> int:
    return len(queries.list_entries_of_source(db, teacher_id, source_ref)) + 1


def take_back(db: Session, award: LedgerEntry, why: str, now: dt.datetime, by: str = "") -> list[dict[str, Any]]:
    """The rows that take back an award, and what its source was converted into; `by` is whoever decided it.

    The caller holds the year's lock and appends them. A conversion is of all that its source came to: whatever of it goes,
    the conversion goes, and what is left may be converted again.
    """
    awards = [award]
    if not is_conversion(award.source_ref):
        awards += standing_awards(db, award.teacher_id, conversion_ref(award.source_ref))
    return [
        bulk.reversal(each, next_turn(db, each.teacher_id, each.source_ref), why, now) | {"recognised_by": by}
        for each in awards
    ]
