"""How many frozen years belong to a school."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "year_total",
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), primary_key=True),
        sa.Column("teachers", sa.Integer, nullable=False),
        sa.Column("met", sa.Integer, nullable=False),
        sa.CheckConstraint("0 <= met AND met <= teachers", name="year_total_parts"),
    )
    # Forced row security binds the owner, who runs this, as well.
    op.execute("ALTER TABLE year_verification NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO year_total (year, place, teachers, met)"
        " SELECT year, place, count(*), count(*) FILTER (WHERE met) FROM year_verification GROUP BY year, place"
    )
    op.execute("ALTER TABLE year_verification FORCE ROW LEVEL SECURITY")
    row_security.protect(
        op, "year_total", place="place", app_rights=("SELECT",), worker_rights=("SELECT", "INSERT", "UPDATE")
    )
