"""Who holds which grants at this moment: the projection of org's grants in a service whose jobs run after their owner left.

Fed by `org.grants_changed` (the complete list, versioned), so events may arrive late, twice or out of order.
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.shared import row_security
from services.shared.actor import Grant, Role
from services.shared.newer import keep_newer


class AccountGrantsMixin:
    """Columns of the `account_grants` table; a service's model adds its own `Model` base."""

    __tablename__ = "account_grants"

    account_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    version: Mapped[int]
    grants: Mapped[list[list[str]]] = mapped_column(JSONB)


def create_account_grants(op: Any) -> None:
    """Create and protect the table (migrations)."""
    op.create_table(
        "account_grants",
        sa.Column("account_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("grants", JSONB, nullable=False),
    )
    row_security.protect(op, "account_grants", person="account_id", app_rights=("SELECT",))


def keep_grants(db: Session, model: Any, payload: dict[str, Any]) -> None:
    """Store org's list of an account's grants unless a newer one is known."""
    values = {
        "account_id": uuid.UUID(payload["account_id"]),
        "version": payload["version"],
        "grants": payload["grants"],
    }
    keep_newer(db, model, "account_id", values)


def list_grants(db: Session, model: Any, account_id: uuid.UUID) -> tuple[Grant, ...]:
    known = db.get(model, account_id)
    return tuple(Grant(Role(role), place) for role, place in known.grants) if known else ()
