"""Persons with a former account: their study counts together."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "merged_person",
        sa.Column("merged_id", sa.Uuid, primary_key=True),
        sa.Column("kept_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.CheckConstraint("merged_id <> kept_id", name="merged_into_another"),
    )
    op.create_index("merged_person_kept", "merged_person", ["kept_id"], postgresql_where=sa.text("live"))
    row_security.protect(op, "merged_person", person="kept_id", app_rights=("SELECT",))
    # What a person studied under a former account is shown to them beside the rest; nobody else sees more than before.
    app = row_security.roles_of(op).app
    for table in ("watched", "quiz_answer"):
        op.execute(
            f"CREATE POLICY former_account ON {table} FOR SELECT TO {app} USING (EXISTS ("
            f"SELECT 1 FROM merged_person AS former WHERE former.merged_id = {table}.teacher_id"
            " AND former.kept_id = app_person() AND former.live))"
        )
