"""Persons with a former account, and erased ones: their certificates follow or lose the name."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "merged_person",
        sa.Column("merged_id", sa.Uuid, primary_key=True),
        sa.Column("kept_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.CheckConstraint("merged_id <> kept_id", name="merged_into_another"),
    )
    op.create_table(
        "moved_certificate",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("merged_id", sa.Uuid, nullable=False, index=True),
        sa.Column("superseded", sa.Boolean, nullable=False),
    )
    for table in ("merged_person", "moved_certificate"):
        row_security.protect(op, table, app="false", app_rights=())
    # A merge that is undone makes a replaced certificate valid once more: one state may come twice.
    op.drop_constraint("certificate_history_pkey", "certificate_history")
    op.create_primary_key("certificate_history_pkey", "certificate_history", ["certificate_id", "state", "at"])
    worker = row_security.roles_of(op).worker
    for table in ("certificate_history", "document"):
        op.execute(f"GRANT UPDATE (teacher_id) ON {table} TO {worker}")
    op.execute(f"GRANT DELETE ON document TO {worker}")
