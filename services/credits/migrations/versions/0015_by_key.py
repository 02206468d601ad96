"""What each page of an administrator asks for is found by a key: the place of the teacher, and the oldest delta."""

from alembic import op

from services.shared import row_security

revision = "0015"
down_revision = "0014"

PLACED = (
    "evidence",
    "ledger",
    "standing",
    "declaration",
    "declaration_round",
    "declaration_attachment",
    "year_verification",
    "year_verification_history",
    "complaint",
    "handover",
)


def upgrade() -> None:
    for table in PLACED:
        row_security.place_by_key(op, table, person="teacher_id", placed_by="placement")
    op.create_index("statistic_delta_recorded", "statistic_delta", ["recorded_at"])
