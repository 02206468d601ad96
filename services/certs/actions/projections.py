"""What certs keeps of catalog, org, identity and credits, each versioned, and what makes a season due."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from services.certs import queries
from services.certs.models import Decision, Model, Placement, Programme, Standing
from services.certs.overview import counting
from services.certs.rules import Reason, State
from services.shared import clock
from services.shared.bus import NotYet
from services.shared.placement import keep_placement

log = structlog.get_logger(__name__)


def upsert(model: type[Model], keep: tuple[str, ...] = ()) -> Insert:
    """An INSERT that replaces a row of the same key with an older `version`, except for the columns to `keep`."""
    table = table_of(model)
    statement = insert(table)
    changed = [column.name for column in table.columns if not column.primary_key and column.name not in keep]
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in table.primary_key],
        set_={name: statement.excluded[name] for name in changed},
        where=table.c.version < statement.excluded.version,
    )


def table_of(model: type[Model]) -> sa.Table:
    """The model's table: statements on it pass the ORM by, which matters where rows come by the hundred."""
    return cast(sa.Table, model.__table__)


# It returns something so that many rows travel as one INSERT.
_UPSERT_STANDINGS = upsert(Standing).returning(Standing.teacher_id)


def keep_programme(db: Session, payload: dict[str, Any]) -> None:
    """Store the published programme unless a newer version is known."""
    values = {
        "programme_id": uuid.UUID(payload["programme_id"]),
        "version": payload["version"],
        "code": payload["code"],
        "title_zh": payload["titles"]["zh"],
        "title_en": payload["titles"]["en"],
        "opens_at": clock.parse_instant(payload["opens_at"]),
        "closes_at": clock.parse_instant(payload["closes_at"]),
        "template": payload["certificate_template"],
    }
    db.execute(upsert(Programme, keep=("due_at",)), values)


def close_programme(db: Session, payload: dict[str, Any]) -> None:
    """Keep the end of the window that the closing names. Raises NotYet while the programme itself is unknown.

    The version stays that of the publication: the closing counts one more, and publications are what is compared when
    the projection is rebuilt.
    """
    programme_id = uuid.UUID(payload["programme_id"])
    if db.get(Programme, programme_id) is None:
        raise NotYet
    db.execute(
        sa.update(Programme)
        .where(Programme.programme_id == programme_id, Programme.version < payload["version"])
        .values(closes_at=clock.parse_instant(payload["closes_at"]))
    )


def keep_standings(db: Session, payloads: list[dict[str, Any]]) -> None:
    """Store what credits recognised, the newest version of each, and mark each for a new decision."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for payload in payloads:
        key = (payload["programme_id"], payload["teacher_id"])
        if key not in newest or newest[key]["version"] < payload["version"]:
            newest[key] = payload
    # One order for every batch, so that two consumers cannot lock the same rows crosswise.
    db.execute(_UPSERT_STANDINGS, [_standing(newest[key]) for key in sorted(newest)])


def _standing(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "programme_id": uuid.UUID(payload["programme_id"]),
        "teacher_id": uuid.UUID(payload["teacher_id"]),
        "version": payload["version"],
        "hours": Decimal(payload["hours"]),
        "courses_done": payload["courses_done"],
        "courses_total": payload["courses_total"],
        "requirement_met": payload["requirement_met"],
        "pending": True,
    }


def keep_membership(db: Session, payload: dict[str, Any]) -> None:
    """Store the membership; a newly verified teacher's certificates come up for decision again."""
    if keep_placement(db, Placement, payload):
        teacher_id = uuid.UUID(payload["teacher_id"])
        reconsider(db, teacher_id)
        counting.mark(db, [teacher_id], clock.now())


def reconsider(db: Session, teacher_id: uuid.UUID) -> None:
    """Let the next run look at everything of this teacher again.

    Also where the mark is set already: the update locks the row. A run that holds the standing makes this wait, and
    the mark is set after it; a run that comes later leaves the row alone until the new facts are committed.
    """
    db.execute(sa.update(Standing).where(Standing.teacher_id == teacher_id).values(pending=True))


def reconsider_blocked(db: Session) -> int:
    """Mark everybody who waits for a verification that is there; returns how many.

    There should be none. A standing that arrives in the very moment of the verification can miss its mark.
    """
    verified = (Placement.teacher_id == Decision.teacher_id, Placement.state == "VERIFIED")
    return _reconsider_blocked_by(db, Reason.TEACHER_NOT_VERIFIED, *verified)


def reconsider_unprintable(db: Session) -> int:
    """Mark everybody whose name could not be printed: a release may have brought the glyphs; returns how many."""
    return _reconsider_blocked_by(db, Reason.NAME_NOT_PRINTABLE)


def _reconsider_blocked_by(db: Session, reason: Reason, *conditions: sa.ColumnElement[bool]) -> int:
    marked = db.execute(
        sa.update(Standing)
        .where(
            Standing.pending.is_(False),
            Standing.teacher_id == Decision.teacher_id,
            Standing.programme_id == Decision.programme_id,
            Decision.state == State.BLOCKED,
            Decision.reasons.contains([reason]),
            *conditions,
        )
        .values(pending=True)
        .returning(Standing.teacher_id)
    )
    return len(marked.all())


def make_due(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Open the programme for decisions once every standing that credits counted is here.

    Raises NotYet while some are still on their way. More than announced is complete too: a correction made since then
    adds versions, and brings its own standing, which is decided again when it arrives.
    """
    programme_id = uuid.UUID(payload["programme_id"])
    standings, version_sum = queries.count_standings(db, programme_id)
    if (
        db.get(Programme, programme_id) is None
        or standings < payload["standings"]
        or version_sum < payload["version_sum"]
    ):
        raise NotYet
    db.execute(
        sa.update(Programme)
        .where(Programme.programme_id == programme_id, Programme.due_at.is_(None))
        .values(due_at=now)
    )
    log.info("certificates_due", programme_id=str(programme_id), standings=standings)
