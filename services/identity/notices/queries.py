"""Selects of notices that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.contract.notices import NoticeState
from services.identity.notices.models import Notice, NoticeSetting


def count_told(db: Session, account_id: uuid.UUID | None, kinds: Sequence[str], since: dt.datetime) -> int:
    """How many of these notices the person got, or will get, since then."""
    told = sa.select(sa.func.count()).where(
        Notice.account_id == account_id,
        Notice.kind.in_(kinds),
        Notice.created_at >= since,
        Notice.state != NoticeState.CAPPED,
    )
    return db.scalar(told) or 0


def lock_due(db: Session, now: dt.datetime, limit: int) -> list[Notice]:
    """Waiting notices that may be sent now; what another process holds is left to it."""
    return list(
        db.scalars(
            sa.select(Notice)
            .where(Notice.state == NoticeState.WAITING, Notice.due_at <= now)
            .order_by(Notice.due_at, Notice.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def list_notices(db: Session, account_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Notice]:
    """Newest first."""
    found = sa.select(Notice).where(Notice.account_id == account_id).order_by(Notice.id.desc()).limit(limit)
    return list(db.scalars(found if before is None else found.where(Notice.id < before)))


def language_of(db: Session, account_id: uuid.UUID | None) -> str:
    """The language that a person chose to be told in."""
    chosen = db.get(NoticeSetting, account_id) if account_id else None
    return chosen.language if chosen else "zh"
