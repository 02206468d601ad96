"""What a snapshot came to behind the gates, kept beside it: the other courses of a teacher are not read to judge one.

Snapshots from before pass the gates again whenever their teacher is judged, until their course's next one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("passed", JSONB))
