"""Pages of rows that change with every report keep room for their next version.

None of the columns that a report changes is indexed, so a new version that fits on its page touches no index: the
sessions of a batch cost PostgreSQL half. Pages that are full already keep what they have; new ones follow this.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

WATCHED_PARTITIONS = 64
# A third of a page: a session is written again with each of its reports, until it ends.
ROOM = "fillfactor = 65"


def upgrade() -> None:
    for table in ("study_session", "course_evidence"):
        op.execute(f"ALTER TABLE {table} SET ({ROOM})")
    for remainder in range(WATCHED_PARTITIONS):
        op.execute(f"ALTER TABLE watched_{remainder:02} SET ({ROOM})")
