"""Whom a programme is for: until its next publication one of before is for everybody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"


def upgrade():
    op.add_column("programme", sa.Column("audience", JSONB, nullable=False, server_default="{}"))
