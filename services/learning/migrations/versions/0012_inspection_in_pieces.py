"""A day of study is looked at in pieces: 64 of its teachers, 64 of its devices, 64 of its rhythms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.shared import row_security

revision = "0012"
down_revision = "0011"


def upgrade():
    # A piece reads its own rows of the day and no others. They take the place of the index on the day alone, so
    # opening a session writes one index entry more than before, and a report none.
    op.drop_index("study_session_opened", "study_session")
    op.execute(
        "CREATE INDEX study_session_teachers ON study_session ((uuid_hash_extended(teacher_id, 1) & 63), opened_at)"
    )
    op.execute("CREATE INDEX study_session_devices ON study_session ((hashtextextended(client_id, 1) & 63), opened_at)")
    op.create_table(
        "inspected_piece",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("look", sa.Text, primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True),
    )
    op.create_table(
        "day_rhythm",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("beat", sa.Text, nullable=False),
        sa.Column("sittings", ARRAY(sa.Uuid), nullable=False),
    )
    for table in ("inspected_piece", "day_rhythm"):
        row_security.protect(op, table, app="false", app_rights=())
