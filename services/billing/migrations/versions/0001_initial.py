"""People as billing knows them, and holds."""

import sqlalchemy as sa
from alembic import op

from services.shared import audit_chain, placement, row_security, tables

revision = "0001"
down_revision = None

PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    tables.create_plumbing(op)
    placement.create_placement(op)
    create_people()
    create_hold()
    audit_chain.create(op)


def create_people() -> None:
    op.create_table(
        "learner_number",
        sa.Column("account_id", sa.Uuid, primary_key=True),
        sa.Column("learner_no", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    row_security.protect(op, "learner_number", person="account_id", app_rights=("SELECT",))
    op.create_table(
        "merged_person",
        sa.Column("merged_id", sa.Uuid, primary_key=True),
        sa.Column("kept_id", sa.Uuid, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.CheckConstraint("merged_id <> kept_id", name="merged_into_another"),
    )
    row_security.protect(op, "merged_person", app="false", app_rights=())


def create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("period_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("lifted_by", sa.Text),
        sa.Column("lifted_at", INSTANT),
        sa.Column("lift_reason", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('SPECIAL_USER', 'CITY_ARREARS', 'DISTRICT_ARREARS')", name="hold_kind"),
        sa.CheckConstraint("state IN ('ACTIVE', 'LIFTED')", name="hold_state"),
        sa.CheckConstraint("(state = 'ACTIVE') = (lifted_at IS NULL)", name="hold_lifted"),
        sa.CheckConstraint("occurrence > 0", name="hold_occurrence"),
    )
    op.create_index(
        "hold_active", "hold", ["teacher_id", "kind"], unique=True, postgresql_where=sa.text("state = 'ACTIVE'")
    )
    op.create_index("hold_teacher", "hold", ["teacher_id", "hold_id"])
    op.create_index("hold_place", "hold", ["place", "hold_id"])
    # The institution that placed it keeps it; the school sees its own special users (S3:268).
    row_security.protect(
        op,
        "hold",
        person="teacher_id",
        place="place",
        placed_by="placement",
        check="app_covers(hold.place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )
