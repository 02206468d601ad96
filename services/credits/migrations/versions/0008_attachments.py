"""Files of declarations."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0008"
down_revision = "0007"

_KEPT = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    op.create_table(
        "declaration_attachment",
        sa.Column("attachment_id", sa.Uuid, primary_key=True),
        sa.Column("declaration_id", sa.Uuid, sa.ForeignKey("declaration.declaration_id"), nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("first_round", sa.Integer, nullable=False),
        sa.Column("last_round", sa.Integer),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("file_key_sealed", sa.Text, nullable=False),
        sa.Column("storage_key", sa.Text),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("last_round >= first_round", name="declaration_attachment_rounds"),
    )
    op.create_index("declaration_attachment_of", "declaration_attachment", ["declaration_id", "attachment_id"])
    row_security.protect(
        op, "declaration_attachment", person="teacher_id", placed_by="placement", app_rights=_KEPT, worker_rights=_KEPT
    )
