"""Completion certificates that institutions registered."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "registration",
        sa.Column("subject_id", sa.Uuid, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("issued_number", sa.Text, nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("registered_by", sa.Uuid, nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("place", "issued_number", name="registration_number"),
    )
    # UPDATE is for locking the row; nobody changes one.
    rights = ("SELECT", "INSERT", "UPDATE")
    row_security.protect(op, "registration", place="place", app_rights=("SELECT",), worker_rights=rights)
