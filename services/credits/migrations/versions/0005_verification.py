"""Frozen years, and complaints about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0005"
down_revision = "0004"

_instant = sa.DateTime(timezone=True)
_READ = ("SELECT",)
_ADD = ("SELECT", "INSERT")
_KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "year_closing",
        sa.Column("scheme_id", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("after_teacher", sa.Uuid),
        sa.Column("frozen", sa.Integer, nullable=False, server_default="0"),
        sa.Column("begun_at", _instant, nullable=False),
        sa.Column("done_at", _instant),
    )
    row_security.protect(op, "year_closing", app="false", app_rights=())
    op.create_table(
        "year_verification",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        *_snapshot(),
    )
    row_security.protect(
        op, "year_verification", person="teacher_id", placed_by="placement", app_rights=_READ, worker_rights=_KEPT
    )
    op.create_table(
        "year_verification_history",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        *_snapshot(in_key=True),
    )
    row_security.protect(
        op,
        "year_verification_history",
        person="teacher_id",
        placed_by="placement",
        app_rights=_READ,
        worker_rights=_ADD,
    )
    op.create_table(
        "complaint",
        sa.Column("complaint_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("handler", sa.Uuid),
        sa.Column("accepted", sa.Boolean),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("reopened", sa.Boolean, nullable=False),
        sa.Column("filed_at", _instant, nullable=False),
        sa.Column("changed_at", _instant, nullable=False),
        sa.CheckConstraint("state IN ('FILED', 'ASSIGNED', 'ANSWERED', 'CLOSED')", name="complaint_state"),
    )
    # One open complaint about a year at a time, whatever the code above it does.
    op.create_index(
        "complaint_open",
        "complaint",
        ["teacher_id", "year"],
        unique=True,
        postgresql_where=sa.text("state <> 'CLOSED'"),
    )
    op.create_index("complaint_teacher", "complaint", ["teacher_id", "complaint_id"])
    row_security.protect(
        op, "complaint", person="teacher_id", placed_by="placement", app_rights=_KEPT, worker_rights=_KEPT
    )


def _snapshot(*, in_key: bool = False) -> tuple[sa.Column, ...]:
    return (
        sa.Column("version", sa.Integer, primary_key=in_key, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("scheme_id", sa.Text, nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("school_id", sa.Uuid),
        sa.Column("met", sa.Boolean, nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("frozen_at", _instant, nullable=False),
    )
