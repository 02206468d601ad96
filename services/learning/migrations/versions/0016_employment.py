"""Who is archived, as org tells it: whoever is not on duty chooses no courses. Fill it with `yanxiu resync learning`."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0016"
down_revision = "0015"


def upgrade():
    op.create_table(
        "employment",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    row_security.protect(op, "employment", person="teacher_id", placed_by="placement", app_rights=("SELECT",))
    row_security.place_by_key(op, "employment", person="teacher_id", placed_by="placement")
