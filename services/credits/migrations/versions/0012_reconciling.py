"""The daily proof of the ledger."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0012"
down_revision = "0011"

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reconciliation_run",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("after_teacher", sa.Uuid),
        sa.Column("after_programme", sa.Uuid),
        sa.Column("checked", sa.Integer, nullable=False),
        sa.Column("differences", sa.Integer, nullable=False),
        sa.Column("begun_at", _instant, nullable=False),
        sa.Column("done_at", _instant),
    )
    op.create_table(
        "reconciliation_difference",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("course", sa.Text, primary_key=True),
        sa.Column("expected", sa.Text, nullable=False),
        sa.Column("in_ledger", sa.Text, nullable=False),
        sa.Column("in_standing", sa.Text, nullable=False),
        sa.Column("found_at", _instant, nullable=False),
    )
    for table in ("reconciliation_run", "reconciliation_difference"):
        row_security.protect(op, table, app="false", app_rights=())
