"""Figures of certificates by place, kept as they change; exports as jobs, and the grants that their owners hold."""

import sqlalchemy as sa
from alembic import op

from services.shared import account_grants, row_security
from services.shared.bulk import tables

revision = "0011"
down_revision = "0010"

_PLACE = sa.Text(collation="C")
_MEASURES = ("valid", "replaced", "revoked", "blocked")


def _measures(kind: type[sa.types.TypeEngine]) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=False) for name in _MEASURES]


def upgrade() -> None:
    op.create_table(
        "certificate_count_due",
        sa.Column("due_id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "certificate_counted",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("place", _PLACE, nullable=False),
        *_measures(sa.Integer),
    )
    for table in ("certificate_count_due", "certificate_counted"):
        row_security.protect(op, table, app="false", app_rights=())
    # The function reads as the owner, whom forced row security binds as well; nobody logs in as the owner.
    owner = row_security.roles_of(op).owner
    op.execute(f"CREATE POLICY owner_reads ON certificate_count_due FOR SELECT TO {owner} USING (true)")
    # How old the figures are: the oldest mark is the first one, and it tells nobody's figures.
    op.execute("""
        CREATE FUNCTION oldest_certificate_count_due() RETURNS timestamptz
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
        RETURN (SELECT marked_at FROM certificate_count_due ORDER BY due_id LIMIT 1)
    """)
    op.create_table(
        "certificate_figures",
        sa.Column("place", _PLACE, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("parent", _PLACE, nullable=False),
        *_measures(sa.BigInteger),
    )
    op.create_index("certificate_figures_children", "certificate_figures", ["parent", "place"])
    row_security.protect(op, "certificate_figures", place="place", app_rights=("SELECT",))
    # What was issued before is counted by the same worker, in its own steps; reading holds up nobody who issues.
    op.execute("""
        INSERT INTO certificate_count_due (teacher_id, marked_at)
        SELECT teacher_id, now() FROM (SELECT teacher_id FROM certificate UNION SELECT teacher_id FROM decision) AS known
    """)
    tables.create_bulk(op)
    account_grants.create_account_grants(op)
