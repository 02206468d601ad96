"""What teachers have reached at exams: evidence beside what they watched."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "exam_score",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("exam_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("course_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("score", sa.Numeric(5, 2)),
        sa.Column("judged_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="score_of_a_hundred"),
    )
    op.create_index("exam_score_programme", "exam_score", ["programme_id"], postgresql_include=["version"])
    row_security.protect(op, "exam_score", person="teacher_id", placed_by="placement", app_rights=("SELECT",))
    row_security.place_by_key(op, "exam_score", person="teacher_id", placed_by="placement")
