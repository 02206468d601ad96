"""Statistics that are kept: what was counted of whom, deltas, and roll-ups by programme, place and day."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0006"
down_revision = "0005"

_instant = sa.DateTime(timezone=True)
_PLACE = sa.Text(collation="C")


def _measures() -> tuple[sa.Column, ...]:
    whole = [
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("registered", "verified", "enrolled", "studying", "finished", "certified")
    ]
    return (*whole, sa.Column("hours", sa.Numeric(16, 2), nullable=False, server_default="0"))


def upgrade() -> None:
    op.create_table(
        "certified",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("certificate_id", sa.Uuid, nullable=False),
    )
    op.create_table(
        "counted",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("place", _PLACE, nullable=False, server_default=""),
        *_measures(),
    )
    op.create_table(
        "statistic_delta",
        sa.Column("delta_id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("place", _PLACE, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("recorded_at", _instant, nullable=False),
        *_measures(),
    )
    for table in ("certified", "counted", "statistic_delta"):
        row_security.protect(op, table, app="false", app_rights=())
    # The function below reads as the owner, whom forced row security binds as well; nobody logs in as the owner.
    owner = row_security.roles_of(op).owner
    op.execute(f"CREATE POLICY owner_reads ON statistic_delta FOR SELECT TO {owner} USING (true)")
    # When the oldest delta was recorded says how old the roll-ups are; it tells nobody's figures.
    op.execute("""
        CREATE FUNCTION oldest_delta() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
        RETURN (SELECT min(recorded_at) FROM statistic_delta)
    """)
    op.create_table(
        "statistic",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("place", _PLACE, primary_key=True),
        sa.Column("parent", _PLACE, nullable=False),
        *_measures(),
    )
    op.create_index("statistic_children", "statistic", ["programme_id", "parent", "place"])
    op.create_table(
        "statistic_day",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("place", _PLACE, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *_measures(),
    )
    for table in ("statistic", "statistic_day"):
        row_security.protect(op, table, place="place", app_rights=("SELECT",))
