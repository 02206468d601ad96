"""Where each certificate stands in the status lists of its badges."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Counted from 0 in the order of issue; a number that a rolled back batch took is a bit that stays 0.
    op.add_column(
        "certificate",
        sa.Column("status_index", sa.BigInteger, sa.Identity(always=True, start=0, minvalue=0), nullable=False),
    )
    op.create_index("certificate_status_index", "certificate", ["status_index"], unique=True)
    # A list is read every second by whoever asks: those that ended are few.
    op.create_index("certificate_ended", "certificate", ["status_index"], postgresql_where=sa.text("state <> 'ISSUED'"))
