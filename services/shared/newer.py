"""Keeping what another service tells: versioned facts that may arrive late, twice or out of order."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session


def keep_newer(db: Session, model: Any, key: str, values: dict[str, Any]) -> bool:
    """Store a fact whose primary key is the column `key`, unless the same or a newer `version` is known.

    Returns whether it was news.
    """
    statement = insert(model).values(values)
    changed = {name: statement.excluded[name] for name in values if name != key}
    kept = statement.on_conflict_do_update(
        index_elements=[key], set_=changed, where=model.version < statement.excluded.version
    )
    return db.execute(kept.returning(sa.literal(1))).first() is not None
