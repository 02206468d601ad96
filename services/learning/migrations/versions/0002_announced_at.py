"""When a snapshot of study was announced: credits dates hours by it, also when it rebuilds its evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    # The default is for rows that are there already, and for processes of the version before during an update.
    op.add_column(
        "course_evidence",
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
