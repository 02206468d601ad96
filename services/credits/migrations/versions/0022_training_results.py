"""Results of special training, as learning tells them, and what became of their hours."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "training_result",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("application_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('ENTERED', 'NOTHING', 'HELD', 'HELD_BACK')", name="training_result_state"),
    )
    row_security.protect(
        op,
        "training_result",
        person="teacher_id",
        placed_by="placement",
        app_rights=("SELECT",),
        worker_rights=("SELECT", "INSERT", "UPDATE"),
    )
    row_security.place_by_key(op, "training_result", person="teacher_id", placed_by="placement")
