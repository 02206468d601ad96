"""Whose a draft is, is found by the person's place, looked up by its key."""

from alembic import op

from services.shared import row_security

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    row_security.place_by_key(op, "profile_draft", person="account_id", placed_by="placement")
