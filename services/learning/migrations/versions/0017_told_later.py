"""Study may be told some minutes after it was recorded: until when, and of when it is."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade():
    # Without a default, so no row is touched; none means that nothing waits, and that it was studied when it was told.
    for name in ("studied_at", "due_at"):
        op.add_column("course_evidence", sa.Column(name, sa.DateTime(timezone=True)))
    # Of those that wait alone: a teacher's row enters it and leaves it once in five minutes of study.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS course_evidence_due")  # of a run that was cut off: it would be invalid
        op.execute("CREATE INDEX CONCURRENTLY course_evidence_due ON course_evidence (due_at) WHERE due_at IS NOT NULL")
