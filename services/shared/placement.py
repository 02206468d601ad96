"""Who is where: each owning service's projection of org's memberships, from which it decides rights.

Fed by `org.membership_changed` (complete state, versioned), so events may arrive late, twice or out of order.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.shared import clock, row_security
from services.shared.newer import keep_newer


class PlacementMixin:
    """Columns of the `placement` table; a service's model adds its own `Model` base."""

    __tablename__ = "placement"

    teacher_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    version: Mapped[int]
    state: Mapped[str]  # PENDING, VERIFIED, REJECTED or RELEASED
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))  # "" once released
    school_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    school_name: Mapped[str]
    effective_at: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True))


def create_placement(op: Any) -> None:
    """Create and protect the table (migrations)."""
    op.create_table(
        "placement",
        sa.Column("teacher_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("school_id", UUID(as_uuid=True)),
        sa.Column("school_name", sa.Text, nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("placement_place", "placement", ["place", "teacher_id"])
    row_security.protect(op, "placement", person="teacher_id", place="place", app_rights=("SELECT",))


def is_below(column: Any, place: str) -> Any:
    """Condition: strictly below `place`. A range ("0" follows "/"), because LIKE uses no index under row security."""
    return sa.and_(column > f"{place}/", column < f"{place}0")


def at_or_below(column: Any, place: str) -> Any:
    """Condition: at `place` itself or anywhere below it."""
    return sa.or_(column == place, is_below(column, place))


def keep_placement(db: Session, model: Any, payload: dict[str, Any]) -> bool:
    """Store the membership unless a newer one is known; returns whether it was news."""
    values = {
        "teacher_id": uuid.UUID(payload["teacher_id"]),
        "version": payload["version"],
        "state": payload["state"],
        "place": payload["place"],
        "school_id": uuid.UUID(payload["school_id"]) if payload["school_id"] else None,
        "school_name": payload["school_name"],
        "effective_at": clock.parse_instant(payload["effective_at"]),
    }
    return keep_newer(db, model, "teacher_id", values)
