"""Whose a hold is, is found by the person's place, looked up by its key."""

from alembic import op

from services.shared import row_security

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    row_security.place_by_key(
        op, "hold", person="teacher_id", placed_by="placement", place="place", check="app_covers(hold.place)"
    )
