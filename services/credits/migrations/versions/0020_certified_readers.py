"""Who may see a teacher's standing may also see whether her certificate of the programme was issued."""

from alembic import op

from services.shared import row_security

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    row_security.place_by_key(op, "certified", person="teacher_id", placed_by="placement")
    op.execute(f"GRANT SELECT ON certified TO {row_security.roles_of(op).app}")
