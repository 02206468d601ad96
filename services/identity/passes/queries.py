"""Selects of passes that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.passes.models import PassBinding, PassFlow


def lock_flow(db: Session, state_hash: str) -> PassFlow | None:
    return db.scalars(sa.select(PassFlow).where(PassFlow.state_hash == state_hash).with_for_update()).one_or_none()


def find_binding(db: Session, issuer: str, subject_candidates: Sequence[str]) -> PassBinding | None:
    return db.scalars(
        sa.select(PassBinding).where(PassBinding.issuer == issuer, PassBinding.subject_index.in_(subject_candidates))
    ).one_or_none()


def list_bindings(db: Session, account_id: uuid.UUID | None) -> list[PassBinding]:
    """Oldest first."""
    return list(db.scalars(sa.select(PassBinding).where(PassBinding.account_id == account_id).order_by(PassBinding.id)))


def lock_bindings(db: Session, account_id: uuid.UUID | None) -> list[PassBinding]:
    return list(
        db.scalars(
            sa.select(PassBinding)
            .where(PassBinding.account_id == account_id)
            .order_by(PassBinding.id)
            .with_for_update()
        )
    )


def forget_flows(db: Session, before: dt.datetime) -> None:
    db.execute(sa.delete(PassFlow).where(PassFlow.started_at < before))
