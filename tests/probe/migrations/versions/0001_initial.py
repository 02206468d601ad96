"""The probe's tables."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security, tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    tables.create_plumbing(op)
    for name in ("counter", "heard", "tallied"):
        op.create_table(
            name, sa.Column("name", sa.Text, primary_key=True), sa.Column("total", sa.Integer, nullable=False)
        )
        row_security.open_to_app(op, name, write=True)
