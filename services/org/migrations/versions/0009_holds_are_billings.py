"""Holds are billing's: nothing was released with a table of them here."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_table("hold")
