"""What org tells of tenants and memberships, as far as it decides who waits."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.identity.access import queries
from services.identity.access.models import TenantPolicy
from services.identity.actions.accounts import revoke_access


def keep_tenant_policy(db: Session, payload: dict[str, Any]) -> None:
    """Store a policy unless a newer one is known. Tokens tell it from their next renewal on: ten minutes at most."""
    values = {
        "policy_id": uuid.UUID(payload["policy_id"]),
        "place": payload["place"],
        "version": payload["version"],
        "mode": payload["mode"],
        "profile_review": payload["profile_review"],
        "withdrawn": payload["withdrawn"],
    }
    statement = insert(TenantPolicy).values(values)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["policy_id"],
            set_={name: statement.excluded[name] for name in values if name != "policy_id"},
            where=TenantPolicy.version < statement.excluded.version,
        )
    )


@contextlib.contextmanager
def noticing_approval(db: Session, payload: dict[str, Any], now: dt.datetime) -> Iterator[None]:
    """Around storing where a teacher belongs: who waited and is approved, or the other way, gets new tokens at once."""
    teacher_id = uuid.UUID(payload["teacher_id"])
    waited = queries.is_waiting(db, teacher_id)
    yield
    if queries.is_waiting(db, teacher_id) != waited:
        revoke_access(db, teacher_id, now)
