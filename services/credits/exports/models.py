"""Who may have files at this moment: org's grants, as credits knows them."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.credits.models import Model
from services.shared.actor import Grant, Role


class AccountGrants(Model):
    """Projection of org's grants: the complete list of [role, place], and the version it came with."""

    __tablename__ = "account_grants"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    grants: Mapped[list[list[str]]] = mapped_column(JSONB)


def keep_grants(db: Session, payload: dict[str, Any]) -> None:
    """Store org's list of an account's grants unless a newer one is known."""
    statement = insert(AccountGrants).values(
        account_id=uuid.UUID(payload["account_id"]), version=payload["version"], grants=payload["grants"]
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id"],
            set_={name: statement.excluded[name] for name in ("version", "grants")},
            where=AccountGrants.version < statement.excluded.version,
        )
    )


def list_grants(db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
    known = db.get(AccountGrants, account_id)
    return tuple(Grant(Role(role), place) for role, place in known.grants) if known else ()
