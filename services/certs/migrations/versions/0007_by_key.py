"""What an administrator asks of one teacher is found by the teacher's place, looked up by its key."""

from alembic import op

from services.shared import row_security

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for table in ("standing", "decision", "certificate", "certificate_history", "document"):
        row_security.place_by_key(op, table, person="teacher_id", placed_by="placement")
