"""The numbers of certificates, for hand-overs that are settled later."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # "": issued before this release, which did not keep it.
    op.add_column("certified", sa.Column("number", sa.Text, nullable=False, server_default=""))
