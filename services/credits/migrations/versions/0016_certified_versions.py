"""News of certificates in any order: the version that is known, and revoked ones as a mark instead of a missing row."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("certified", sa.Column("version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("certified", sa.Column("live", sa.Boolean, nullable=False, server_default=sa.true()))
