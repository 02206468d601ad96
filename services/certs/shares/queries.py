"""Selects of shares."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.shares.models import Share
from services.certs.shares.rules import hash_token, is_live
from services.shared.errors import NotFound

NOT_FOUND = "certs.share_unknown"


def get_by_token(db: Session, token: str, now: dt.datetime, *, lock: bool = False) -> Share:
    """The live share of this token. Unknown, expired and taken back look alike: raises NotFound("certs.share_unknown")."""
    select = sa.select(Share).where(Share.token_hash == hash_token(token))
    share = db.scalars(select.with_for_update() if lock else select).one_or_none()
    if share is None or not is_live(share.expires_at, share.revoked_at, now):
        raise NotFound(NOT_FOUND)
    return share


def lock_share(db: Session, share_id: uuid.UUID) -> Share:
    """Raises NotFound."""
    share = db.get(Share, share_id, with_for_update=True)
    if share is None:
        raise NotFound(NOT_FOUND)
    return share


def list_shares(db: Session, certificate_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Share]:
    """Newest first."""
    select = sa.select(Share).where(Share.certificate_id == certificate_id)
    if before:
        select = select.where(Share.share_id < before)
    return list(db.scalars(select.order_by(Share.share_id.desc()).limit(limit)))


def count_live(db: Session, certificate_id: uuid.UUID, now: dt.datetime) -> int:
    live = (Share.certificate_id == certificate_id, Share.revoked_at.is_(None), Share.expires_at > now)
    return db.scalar(sa.select(sa.func.count()).where(*live)) or 0
