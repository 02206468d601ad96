"""The audit trail as a chain."""

from alembic import op

from services.shared import audit_chain

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    audit_chain.create(op)
