"""The signature of what the QR code tells; certificates issued before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("certificate", sa.Column("seal", sa.Text))
