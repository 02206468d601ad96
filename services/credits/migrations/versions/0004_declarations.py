"""Declared hours, and who recognised an entry."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0004"
down_revision = "0003"

_instant = sa.DateTime(timezone=True)
_KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.add_column("ledger", sa.Column("recognised_by", sa.Text, nullable=False, server_default=""))
    op.add_column("ledger", sa.Column("recognised_at", sa.Text(collation="C"), nullable=False, server_default=""))
    op.create_table(
        "declaration",
        sa.Column("declaration_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("changed_at", _instant, nullable=False),
        sa.CheckConstraint(
            "state IN ('DRAFT','FIRST_REVIEW','FINAL_REVIEW','RETURNED','APPROVED','WITHDRAWN','VOIDED')",
            name="declaration_state",
        ),
    )
    op.create_index("declaration_teacher", "declaration", ["teacher_id", "declaration_id"])
    # The queues of reviewers hold what waits, whatever was decided in all the years before.
    op.create_index(
        "declaration_waiting",
        "declaration",
        ["state", "declaration_id"],
        postgresql_where=sa.text("state IN ('FIRST_REVIEW', 'FINAL_REVIEW')"),
    )
    row_security.protect(
        op, "declaration", person="teacher_id", placed_by="placement", app_rights=_KEPT, worker_rights=_KEPT
    )
    op.create_table(
        "declaration_round",
        sa.Column("declaration_id", sa.Uuid, sa.ForeignKey("declaration.declaration_id"), primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("submitted_at", _instant, nullable=False),
        sa.Column("first_outcome", sa.Text),
        sa.Column("first_reviewer", sa.Uuid),
        sa.Column("first_reason", sa.Text, nullable=False),
        sa.Column("first_at", _instant),
        sa.Column("final_outcome", sa.Text),
        sa.Column("final_reviewer", sa.Uuid),
        sa.Column("final_reason", sa.Text, nullable=False),
        sa.Column("final_at", _instant),
        sa.CheckConstraint("first_outcome IN ('PASS', 'RETURN')", name="declaration_round_first"),
        sa.CheckConstraint("final_outcome IN ('APPROVE', 'RETURN')", name="declaration_round_final"),
        sa.CheckConstraint("final_outcome IS NULL OR first_outcome = 'PASS'", name="declaration_round_order"),
    )
    row_security.protect(
        op, "declaration_round", person="teacher_id", placed_by="placement", app_rights=_KEPT, worker_rights=_KEPT
    )
