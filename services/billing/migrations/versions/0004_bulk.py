"""Jobs over many rows, and the grants that their owners hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security
from services.shared.bulk import tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    tables.create_bulk(op)
    op.create_table(
        "account_grants",
        sa.Column("account_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("grants", JSONB, nullable=False),
    )
    row_security.protect(op, "account_grants", person="account_id", app_rights=("SELECT",))
