"""The oldest delta is found by an index: each page of statistics asks for it, also while a hundred thousand wait."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("statistic_delta_recorded", "statistic_delta", ["recorded_at"])
