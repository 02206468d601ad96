"""Projections, evidence, ledger, standings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import placement, row_security, tables

revision = "0001"
down_revision = None

# Teacher in every key; enough to spread one season of the nation over several servers (architecture.md part 3).
PARTITIONS = 64
instant = sa.DateTime(timezone=True)


def upgrade():
    tables.create_plumbing(op)
    placement.create_placement(op)
    create_programme()
    create_evidence()
    create_ledger()
    create_teacher_year()
    create_standing()


def create_programme():
    op.create_table(
        "programme",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("titles", JSONB, nullable=False),
        sa.Column("rule_pack", sa.Text, nullable=False),
        sa.Column("closes_at", instant, nullable=False),
        sa.Column("courses", JSONB, nullable=False),
        sa.Column("recognition_closed_at", instant),
    )
    row_security.open_to_app(op, "programme")


def create_evidence():
    op.create_table(
        "evidence",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("videos", JSONB, nullable=False),
        sa.Column("progressed_at", instant, nullable=False),
        postgresql_partition_by="HASH (teacher_id)",
    )
    op.create_index("evidence_programme", "evidence", ["programme_id"], postgresql_include=["version"])
    partition("evidence")
    row_security.protect(op, "evidence", person="teacher_id", placed_by="placement", app_rights=("SELECT",))


def create_ledger():
    op.create_table(
        "ledger",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("entry_id", sa.Uuid, primary_key=True),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("source_ref", sa.Text, nullable=False),
        sa.Column("evidence_version", sa.Integer, nullable=False),
        sa.Column("source_kind", sa.Text, nullable=False),
        sa.Column("programme_id", sa.Uuid),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric(8, 2), nullable=False),
        sa.Column("hour_type", sa.Text, nullable=False),
        sa.Column("training_form", sa.Text, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("effective_on", sa.Date, nullable=False),
        sa.Column("recorded_at", instant, nullable=False),
        sa.Column("school_id", sa.Uuid),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("pack_id", sa.Text, nullable=False),
        sa.Column("pack_version", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("reversal_of", sa.Uuid),
        sa.UniqueConstraint("teacher_id", "rule_id", "source_ref", "evidence_version", name="ledger_natural_key"),
        sa.CheckConstraint("amount <> 0", name="ledger_amount"),
        sa.CheckConstraint("unit IN ('HOUR', 'CREDIT')", name="ledger_unit"),
        sa.CheckConstraint("(reversal_of IS NULL) = (amount > 0)", name="ledger_reversal"),
        postgresql_partition_by="HASH (teacher_id)",
    )
    op.create_index("ledger_programme", "ledger", ["teacher_id", "programme_id"])
    partition("ledger")
    # Append-only for every role that logs in: a correction is another row.
    append = ("SELECT", "INSERT")
    row_security.protect(
        op, "ledger", person="teacher_id", placed_by="placement", app_rights=append, worker_rights=append
    )


def create_teacher_year():
    op.create_table(
        "teacher_year",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
    )
    row_security.protect(op, "teacher_year", person="teacher_id", placed_by="placement", app_rights=())


def create_standing():
    op.create_table(
        "standing",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("enrolled_at", instant),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("courses", JSONB, nullable=False),
        sa.Column("courses_done", sa.Integer, nullable=False),
        sa.Column("requirement_met", sa.Boolean, nullable=False),
        sa.Column("shortfalls", JSONB, nullable=False),
        sa.Column("evidence_version", sa.Integer, nullable=False),
        sa.Column("pack_id", sa.Text, nullable=False),
        sa.Column("pack_version", sa.Text, nullable=False),
        sa.Column("recorded_at", instant, nullable=False),
    )
    op.create_index("standing_programme", "standing", ["programme_id"], postgresql_include=["version", "enrolled_at"])
    row_security.protect(op, "standing", person="teacher_id", placed_by="placement", app_rights=("SELECT",))


def partition(table):
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE {table}_{number:02} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )
