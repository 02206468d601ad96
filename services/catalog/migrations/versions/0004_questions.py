"""Question banks with their versions, and the exams that were announced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0004"
down_revision = "0003"


def upgrade():
    op.create_table(
        "question_bank",
        sa.Column("bank_id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text(collation="C"), nullable=False, unique=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False, index=True),
        sa.Column("titles", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("draft", JSONB),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    row_security.protect(
        op,
        "question_bank",
        place="place",
        app_rights=("SELECT", "INSERT", "UPDATE"),
        worker_rights=("SELECT", "INSERT", "UPDATE"),
    )
    op.create_table(
        "question_bank_version",
        sa.Column("bank_id", sa.Uuid, sa.ForeignKey("question_bank.bank_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    )
    # A version may have been drawn from the moment it is published: nobody changes or removes one.
    add_only = ("SELECT", "INSERT")
    row_security.protect(op, "question_bank_version", place="place", app_rights=add_only, worker_rights=add_only)
    op.create_table(
        "exam",
        sa.Column("exam_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, sa.ForeignKey("programme.programme_id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    # Published matter, as the programme itself.
    row_security.protect(op, "exam", app="true", app_rights=("SELECT", "INSERT", "UPDATE"))
