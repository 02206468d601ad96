"""Bulk jobs."""

from alembic import op

from services.shared.bulk import tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    tables.create_bulk(op)
