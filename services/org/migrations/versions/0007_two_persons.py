"""Grants of a province and above are proposed by one person and approved by another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0007"
down_revision = "0006"

PLACE = sa.Text(collation="C")
ID = UUID(as_uuid=True)
INSTANT = sa.DateTime(timezone=True)
# Who wanted what, and who agreed, must stay answerable: no role may delete it.
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    create_proposals()
    let_codes_be_proposed()


def create_proposals() -> None:
    op.create_table(
        "grant_proposal",
        sa.Column("proposal_id", ID, primary_key=True),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("valid_from", INSTANT),
        sa.Column("valid_to", INSTANT),
        sa.Column("replace", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_by", ID, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("decided_by", ID),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_reason", sa.Text, nullable=False),
        sa.Column("grant_id", ID, sa.ForeignKey("admin_grant.grant_id"), unique=True),
        sa.CheckConstraint(
            "state IN ('OPEN', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')", name="grant_proposal_state"
        ),
        sa.CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="grant_proposal_decided"),
        sa.CheckConstraint("(state = 'APPROVED') = (grant_id IS NOT NULL)", name="grant_proposal_granted"),
        # The last wall of the two persons; withdrawing is the proposer's own.
        sa.CheckConstraint("proposed_by <> account_id", name="grant_proposal_not_for_oneself"),
        sa.CheckConstraint(
            "state NOT IN ('APPROVED', 'REJECTED') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="grant_proposal_two_persons",
        ),
        sa.CheckConstraint("state <> 'APPROVED' OR decided_by <> account_id", name="grant_proposal_three_persons"),
    )
    waiting = sa.text("state = 'OPEN'")
    op.create_index(
        "grant_proposal_open", "grant_proposal", ["account_id", "role", "place"], unique=True, postgresql_where=waiting
    )
    op.create_index("grant_proposal_place", "grant_proposal", ["place", "proposal_id"])
    op.create_index("grant_proposal_due", "grant_proposal", ["expires_at"], postgresql_where=waiting)
    row_security.protect(op, "grant_proposal", place="place", app_rights=KEPT, worker_rights=KEPT)


def let_codes_be_proposed() -> None:
    """Codes that are on their way stay good: they were issued when one person was enough."""
    op.add_column("authority_code", sa.Column("approved_by", ID))
    op.add_column("authority_code", sa.Column("approved_at", INSTANT))
    op.drop_constraint("authority_code_state", "authority_code")
    op.create_check_constraint(
        "authority_code_state",
        "authority_code",
        "state IN ('PROPOSED', 'ISSUED', 'ACTIVATED', 'VOID', 'REVOKED')",
    )
    op.create_check_constraint(
        "authority_code_approved", "authority_code", "(approved_by IS NULL) = (approved_at IS NULL)"
    )
    op.create_check_constraint(
        "authority_code_three_people", "authority_code", "approved_by <> issued_by AND approved_by <> activated_by"
    )
    waiting = sa.text("state IN ('PROPOSED', 'ISSUED')")
    for name, columns, unique in (
        ("authority_code_issued", ["place", "role"], True),
        ("authority_code_issuer", ["issued_by"], False),
        ("authority_code_due", ["expires_at"], False),
    ):
        op.drop_index(name, "authority_code")
        op.create_index(name, "authority_code", columns, unique=unique, postgresql_where=waiting)
