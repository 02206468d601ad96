"""Holding the issue of a programme's certificates, and letting it go on."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs.holds.models import IssueHold
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound

NATION = "CN"


def hold_issue(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Stop issuing. News of a proof that somebody has answered already, told again, stops nothing."""
    day = dt.date.fromisoformat(payload["day"])
    statement = insert(IssueHold).values(
        programme_id=uuid.UUID(payload["programme_id"]),
        day=day,
        differences=payload["differences"],
        held_at=now,
        reason="",
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["programme_id"],
            set_={
                "day": statement.excluded.day,
                "differences": sa.case(
                    (IssueHold.day == statement.excluded.day, IssueHold.differences + statement.excluded.differences),
                    else_=statement.excluded.differences,
                ),
                "held_at": sa.case(
                    (IssueHold.lifted_at.is_(None), IssueHold.held_at), else_=statement.excluded.held_at
                ),
                "lifted_at": None,
                "reason": "",
            },
            where=sa.and_(
                IssueHold.day <= statement.excluded.day,
                sa.or_(IssueHold.lifted_day.is_(None), IssueHold.lifted_day < statement.excluded.day),
            ),
        )
    )


def lift_hold(db: Session, call: Call, programme_id: uuid.UUID, reason: str) -> IssueHold:
    """Somebody has looked: issuing goes on. A proof of a later day that fails stops it again."""
    select = sa.select(IssueHold).where(IssueHold.programme_id == programme_id).with_for_update()
    hold = db.scalars(select).one_or_none()
    if hold is None:
        raise NotFound("certs.hold_unknown")
    if hold.lifted_at is not None:
        raise Conflict("certs.hold_lifted")
    hold.lifted_at, hold.lifted_day, hold.reason = call.now, hold.day, reason
    audit.record(
        db,
        call,
        subject=None,
        place=NATION,
        reason=reason,
        before={"held_at": hold.held_at.isoformat(), "differences": hold.differences},
        after={"programme_id": str(programme_id), "lifted": True},
    )
    db.flush()
    return hold


def list_holds(db: Session) -> list[IssueHold]:
    """All there ever were: as many as programmes whose proof failed."""
    return list(db.scalars(sa.select(IssueHold).order_by(IssueHold.held_at.desc())))
