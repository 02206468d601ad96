"""What the catalogue tells of programmes as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog import contract, queries
from services.catalog.actions import closed_payload, published_payload
from services.catalog.models import Programme
from services.shared.bus.snapshots import Facts, Key, Snapshot, Told


def tell_published(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    programmes = _programmes(db, keys)
    return [
        Told((programme.programme_id,), published_payload(programme, queries.content_of(db, programme)))
        for programme in programmes
    ]


def tell_closed(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((programme.programme_id,), closed_payload(programme)) for programme in _programmes(db, keys)]


def _programmes(db: Session, keys: list[Key]) -> list[Programme]:
    ids = [programme_id for (programme_id,) in keys]
    return list(db.scalars(sa.select(Programme).where(Programme.programme_id.in_(ids))))


_KEY = (Programme.programme_id,)
SNAPSHOTS = {
    contract.PROGRAMME_PUBLISHED: Snapshot(Facts(_KEY, Programme.content_version), tell_published),
    contract.PROGRAMME_CLOSED: Snapshot(
        Facts(_KEY, Programme.version, (Programme.closed_at.is_not(None),)), tell_closed
    ),
}
