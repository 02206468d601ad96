"""What years that are not frozen yet came to in the night: teacher by teacher, and school by school."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0019"
down_revision = "0018"

_instant = sa.DateTime(timezone=True)
_PLACE = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "year_computation",
        sa.Column("scheme_id", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("after_teacher", sa.Uuid),
        sa.Column("begun_at", _instant, nullable=False),
        sa.Column("done_at", _instant),
    )
    row_security.protect(op, "year_computation", app="false", app_rights=())
    op.create_table(
        "open_year",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("scheme_id", sa.Text, nullable=False),
        sa.Column("place", _PLACE, nullable=False),
        sa.Column("school_name", sa.Text, nullable=False),
        sa.Column("met", sa.Boolean, nullable=False),
        sa.Column("figures", JSONB, nullable=False),
        sa.Column("computed_at", _instant, nullable=False),
        # Every row is written once a night: with room beside it, no index has to follow.
        postgresql_with={"fillfactor": 70},
    )
    row_security.protect(op, "open_year", person="teacher_id", placed_by="placement", app_rights=("SELECT",))
    row_security.place_by_key(op, "open_year", person="teacher_id", placed_by="placement")
    op.create_table(
        "open_year_total",
        sa.Column("scheme_id", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("place", _PLACE, primary_key=True),
        sa.Column("teachers", sa.Integer, nullable=False),
        sa.Column("met", sa.Integer, nullable=False),
        sa.Column("computed_at", _instant, nullable=False),
    )
    op.create_index("open_year_total_place", "open_year_total", ["year", "place"])
    row_security.protect(op, "open_year_total", place="place", app_rights=("SELECT",))
