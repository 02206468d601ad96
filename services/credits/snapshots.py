"""What credits tells of recognised hours as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits import contract
from services.credits.actions import closed_payload, recognised_payload
from services.credits.models import Programme, Standing
from services.shared.bus.snapshots import UNCHANGING, Facts, Key, Snapshot, Told


def tell_standings(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    wanted = sa.tuple_(Standing.teacher_id, Standing.programme_id).in_(keys)
    rows = db.execute(sa.select(*Standing.__table__.columns).where(wanted)).mappings()
    return [Told((row["teacher_id"], row["programme_id"]), recognised_payload(dict(row))) for row in rows]


def tell_closed(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    return [Told((programme_id,), closed_payload(db, programme_id)) for (programme_id,) in keys]


_closed = Programme.recognition_closed_at.is_not(None)
SNAPSHOTS = {
    contract.HOURS_RECOGNISED: Snapshot(
        Facts((Standing.teacher_id, Standing.programme_id), Standing.version), tell_standings
    ),
    contract.RECOGNITION_CLOSED: Snapshot(Facts((Programme.programme_id,), UNCHANGING, (_closed,)), tell_closed),
}
