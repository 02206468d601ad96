"""The audit trail as a chain."""

from alembic import op

from services.shared import audit_chain

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    audit_chain.create(op)
