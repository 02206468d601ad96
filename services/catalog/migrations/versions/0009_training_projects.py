"""Projects of special training."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0009"
down_revision = "0008"

PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "training_project",
        sa.Column("project_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("shown_at", PLACE, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("title", "level", "project_type", "course_type", "funding", "hour_type", "unit")
        ),
        sa.Column("amount", sa.Numeric(8, 2), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("institution_unit_id", sa.Uuid, nullable=False),
        sa.Column("institution_place", PLACE, nullable=False),
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("applies_from", INSTANT, nullable=False),
        sa.Column("applies_until", INSTANT, nullable=False),
        sa.Column("capacity", sa.Integer),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("published_at", INSTANT),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("applies_from < applies_until", name="training_project_window"),
        sa.CheckConstraint("starts_on <= ends_on", name="training_project_days"),
        sa.CheckConstraint("amount > 0", name="training_project_amount"),
        sa.CheckConstraint("capacity > 0", name="training_project_capacity"),
        sa.CheckConstraint("state IN ('DRAFT', 'PUBLISHED', 'WITHDRAWN')", name="training_project_state"),
    )
    op.create_index("training_project_place", "training_project", ["place", "project_id"])
    op.create_index("training_project_shown_at", "training_project", ["shown_at", "project_id"])
    op.create_index("training_project_unit", "training_project", ["institution_unit_id"])
    # Published projects are on the wall, and an institution looks at those that it holds; keeping one is scoped.
    row_security.protect(
        op,
        "training_project",
        app="published_at IS NOT NULL OR app_covers(training_project.place)",
        check="app_covers(training_project.place)",
        app_rights=("SELECT", "INSERT", "UPDATE"),
    )
