"""Which version of a profile was announced: what a rebuilt projection is compared with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("profile", sa.Column("announced_version", sa.Integer))
