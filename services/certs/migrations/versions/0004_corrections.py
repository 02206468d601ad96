"""Corrections of certificates: proposals, and what became of them."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0004"
down_revision = "0003"

_instant = sa.DateTime(timezone=True)
# Proposals and decisions stay: nobody deletes them.
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("correction_id", sa.Uuid, primary_key=True),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Uuid, nullable=False),
        sa.Column("proposed_at", _instant, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_at", _instant),
        sa.Column("decision_reason", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("act IN ('REISSUE', 'REVOKE')", name="correction_act"),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'LAPSED')", name="correction_state"
        ),
        # Two persons correct; the database would not believe one either.
        sa.CheckConstraint("state NOT IN ('APPROVED', 'REJECTED') OR decided_by <> proposed_by", name="two_persons"),
    )
    op.create_table(
        "corrected_certificate",
        sa.Column("correction_id", sa.Uuid, sa.ForeignKey("correction.correction_id"), primary_key=True),
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("successor_id", sa.Uuid),
    )
    op.create_index(
        "one_open_correction",
        "corrected_certificate",
        ["certificate_id"],
        unique=True,
        postgresql_where=sa.text("is_open"),
    )
    for table in ("correction", "corrected_certificate"):
        row_security.protect(op, table, place="place", app_rights=KEPT, worker_rights=KEPT)
    # Who decides looks for certificates by season and state, below a place.
    op.create_index("certificate_by_programme", "certificate", ["programme_id", "certificate_id"])
