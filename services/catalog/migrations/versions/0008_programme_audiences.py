"""Whom a programme is for and on whose list it stands. A programme of before is for everybody, on everybody's list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

_EVERYBODY = '{"stages": [], "segments": [], "subjects": [], "place_ids": [], "school_ids": []}'


def upgrade():
    op.add_column("programme", sa.Column("place", sa.Text(collation="C"), nullable=False, server_default="CN"))
    op.add_column("programme", sa.Column("visibility", sa.Text, nullable=False, server_default="PUBLIC"))
    op.add_column("programme", sa.Column("audience", JSONB, nullable=False, server_default=_EVERYBODY))
    # Programmes are few: some a year.
    op.create_check_constraint("programme_visibility", "programme", "visibility IN ('PUBLIC', 'PLACES', 'UNLISTED')")
    op.execute(
        "UPDATE programme SET place = told.content->>'place' FROM programme_version AS told"
        " WHERE told.programme_id = programme.programme_id AND told.version = programme.content_version"
        " AND told.content ? 'place'"
    )
