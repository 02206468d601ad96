"""How far rendering ahead has come."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "render_position",
        sa.Column("single", sa.Boolean, sa.CheckConstraint("single"), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "render_stretch",
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
    )
    # What was issued before is printed when somebody asks, as it was until now; the work begins with what comes.
    op.execute(
        "INSERT INTO render_position (single, position) SELECT true, coalesce(max(status_index), -1) FROM certificate"
    )
    for table in ("render_position", "render_stretch"):
        row_security.protect(op, table, app="false", app_rights=())
