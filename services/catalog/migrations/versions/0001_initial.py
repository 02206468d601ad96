"""Programmes and their versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security, tables

revision = "0001"
down_revision = None


def upgrade():
    tables.create_plumbing(op)
    op.create_table(
        "programme",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text(collation="C"), nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_version", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("titles", JSONB, nullable=False),
        sa.Column("rule_pack", sa.Text, nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fully_open_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("opens_at < closes_at", name="window_in_order"),
    )
    op.create_index("programme_due", "programme", ["closes_at"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "programme_version",
        sa.Column("programme_id", sa.Uuid, sa.ForeignKey("programme.programme_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    )
    # Both tables hold published matter only, no person's and no unit's rows.
    row_security.open_to_app(op, "programme", write=True)
    row_security.open_to_app(op, "programme_version", write=True)
    roles = row_security.roles_of(op)
    op.execute(f"REVOKE UPDATE, DELETE ON programme_version FROM {roles.app}, {roles.worker}")
