"""Jobs of learning, with the grants that their owners hold and the learner numbers of rosters; grades of courses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security
from services.shared.bulk import tables

revision = "0013"
down_revision = "0012"


def upgrade():
    tables.create_bulk(op)
    op.create_table(
        "account_grants",
        sa.Column("account_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("grants", JSONB, nullable=False),
    )
    row_security.protect(op, "account_grants", person="account_id", app_rights=("SELECT",))
    op.create_table(
        "learner_number",
        sa.Column("account_id", sa.Uuid, primary_key=True),
        sa.Column("learner_no", sa.Text, nullable=False, unique=True),
    )
    row_security.protect(op, "learner_number", person="account_id", app_rights=())
    _create_grades()


def _create_grades():
    seen = {"person": "teacher_id", "placed_by": "placement"}
    op.create_table(
        "course_grade",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("choice_id", sa.Uuid, primary_key=True),
        sa.Column("offering_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("score", sa.Numeric(4, 1)),
        sa.Column("graded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="grade_score"),
    )
    row_security.protect(op, "course_grade", **seen, app_rights=("SELECT",))
    op.create_table(
        "grade_step",
        sa.Column("choice_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("score", sa.Numeric(4, 1)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    row_security.protect(op, "grade_step", **seen, app_rights=("SELECT",), worker_rights=("SELECT", "INSERT"))
    for table in ("course_grade", "grade_step"):
        row_security.place_by_key(op, table, person="teacher_id", placed_by="placement")
