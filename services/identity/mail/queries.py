"""Selects of codes sent by e-mail."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.mail.models import EmailCode


def list_sent(db: Session, account_id: uuid.UUID, emails: Sequence[str], since: dt.datetime) -> list[dt.datetime]:
    """When codes were sent for the account, or to the address for anybody."""
    concerned = sa.or_(EmailCode.account_id == account_id, EmailCode.email_index.in_(emails))
    return list(db.scalars(sa.select(EmailCode.issued_at).where(concerned, EmailCode.issued_at > since)))


def lock_newest_code(db: Session, account_id: uuid.UUID) -> EmailCode | None:
    newest = sa.select(EmailCode).where(EmailCode.account_id == account_id).order_by(EmailCode.id.desc()).limit(1)
    return db.scalars(newest.with_for_update()).first()
