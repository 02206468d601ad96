"""Holds on issuing certificates."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0006"
down_revision = "0005"

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "issue_hold",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("differences", sa.Integer, nullable=False),
        sa.Column("held_at", _instant, nullable=False),
        sa.Column("lifted_at", _instant),
        sa.Column("lifted_day", sa.Date),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("(lifted_at IS NULL) = (reason = '')", name="issue_hold_reason"),
    )
    # It tells of no person; its methods are the nation's operator's.
    row_security.protect(op, "issue_hold", app="true", app_rights=("SELECT", "UPDATE"))
