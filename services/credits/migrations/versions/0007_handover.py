"""Hours of national seasons that enter a local register."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0007"
down_revision = "0006"

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("recorded_at", _instant, nullable=False),
        sa.Column("changed_at", _instant, nullable=False),
        sa.CheckConstraint("state IN ('ENTERED', 'HELD', 'TAKEN_BACK', 'HELD_BACK')", name="handover_state"),
        sa.CheckConstraint("(reason <> '') = (state IN ('HELD', 'HELD_BACK'))", name="handover_reason"),
    )
    op.create_index("handover_teacher", "handover", ["teacher_id"])
    # What people must decide about is little, whatever was handed over in all the years before.
    op.create_index(
        "handover_held",
        "handover",
        ["state", "certificate_id"],
        postgresql_where=sa.text("state IN ('HELD', 'HELD_BACK')"),
    )
    row_security.protect(
        op,
        "handover",
        person="teacher_id",
        placed_by="placement",
        app_rights=("SELECT",),
        worker_rights=("SELECT", "INSERT", "UPDATE"),
    )
