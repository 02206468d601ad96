"""Who is on duty: the projection of org's employment statuses in a service that leaves archived teachers out.

Fed by `org.employment_changed` (versioned), so events may arrive late, twice or out of order. Of whoever has always been
on duty nothing is told.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.shared import row_security
from services.shared.newer import keep_newer

ON_DUTY: Final = "ON_DUTY"


class EmploymentMixin:
    """Columns of the `employment` table; a service's model adds its own `Model` base."""

    __tablename__ = "employment"

    teacher_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    version: Mapped[int]
    status: Mapped[str]


def create_employment(op: Any) -> None:
    """Create and protect the table (migrations); `placement` says whose territory it is."""
    op.create_table(
        "employment",
        sa.Column("teacher_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    row_security.protect(op, "employment", person="teacher_id", placed_by="placement", app_rights=("SELECT",))
    row_security.place_by_key(op, "employment", person="teacher_id", placed_by="placement")


def keep_employment(db: Session, model: Any, payload: dict[str, Any]) -> bool:
    """Store whether a teacher is on duty, unless newer news is known; returns whether it was news."""
    values = {
        "teacher_id": uuid.UUID(payload["teacher_id"]),
        "version": payload["version"],
        "status": payload["status"],
    }
    return keep_newer(db, model, "teacher_id", values)


def is_archived(model: Any, teacher_id: Any) -> Any:
    """Condition: the teacher of this column is archived 归档, for whatever reason (`domain.md` §3.4)."""
    return sa.exists().where(model.teacher_id == teacher_id, model.status != ON_DUTY)
