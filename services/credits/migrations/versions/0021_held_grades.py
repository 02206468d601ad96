"""Grades whose hours wait for somebody to decide, as a list; they say which course it was."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    # What was told before says nothing of it; `yanxiu resync credits` brings only what is missing.
    for name in ("course_no", "title"):
        op.add_column("course_grade", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_index(
        "course_grade_held",
        "course_grade",
        ["choice_id"],
        postgresql_where=sa.text("state IN ('HELD', 'HELD_BACK')"),
    )
