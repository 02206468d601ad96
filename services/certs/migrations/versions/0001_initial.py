"""Standings, decisions, certificates and their documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.shared import placement, row_security, tables

revision = "0001"
down_revision = None

READ_ONLY = ("SELECT",)
ADD_ONLY = ("SELECT", "INSERT")
_instant = sa.DateTime(timezone=True)


def upgrade():
    tables.create_plumbing(op)
    placement.create_placement(op)
    create_programme()
    create_standing()
    create_decision()
    create_certificate()
    create_document()


def create_programme():
    op.create_table(
        "programme",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("title_zh", sa.Text, nullable=False),
        sa.Column("title_en", sa.Text, nullable=False),
        sa.Column("opens_at", _instant, nullable=False),
        sa.Column("closes_at", _instant, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("due_at", _instant),
    )
    row_security.open_to_app(op, "programme")


def create_standing():
    op.create_table(
        "standing",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("courses_done", sa.Integer, nullable=False),
        sa.Column("courses_total", sa.Integer, nullable=False),
        sa.Column("requirement_met", sa.Boolean, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
    )
    op.create_index("standing_teacher", "standing", ["teacher_id"])
    # The decision run reads nothing else, so its cost follows the work left and not the size of the season.
    op.create_index("standing_pending", "standing", ["programme_id", "teacher_id"], postgresql_where=sa.text("pending"))
    row_security.protect(op, "standing", person="teacher_id", placed_by="placement", app_rights=READ_ONLY)


def create_decision():
    op.create_table(
        "decision",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("decision_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reasons", ARRAY(sa.Text), nullable=False),
        sa.Column("certificate_id", sa.Uuid),
        sa.Column("decided_at", _instant, nullable=False),
        sa.CheckConstraint("(state IN ('ISSUED', 'REVOKED')) = (certificate_id IS NOT NULL)", name="issued_names_one"),
    )
    op.create_index("decision_teacher", "decision", ["teacher_id"])
    op.create_index("decision_blocked", "decision", ["teacher_id"], postgresql_where=sa.text("state = 'BLOCKED'"))
    row_security.protect(op, "decision", person="teacher_id", placed_by="placement", app_rights=READ_ONLY)


def create_certificate():
    op.create_table(
        "certificate",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text(collation="C"), nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("holder_sealed", sa.Text, nullable=False),
        sa.Column("school_name", sa.Text, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("issued_at", _instant, nullable=False),
        sa.UniqueConstraint("number", "edition", name="certificate_number"),
        sa.CheckConstraint("state IN ('ISSUED', 'REPLACED', 'REVOKED')", name="certificate_state"),
    )
    # The last wall against issuing twice: one valid certificate per person, kind and programme.
    op.create_index(
        "certificate_one_valid",
        "certificate",
        ["teacher_id", "kind", "programme_id"],
        unique=True,
        postgresql_where=sa.text("state = 'ISSUED'"),
    )
    op.create_index("certificate_wallet", "certificate", ["teacher_id", "certificate_id"])
    row_security.protect(
        op,
        "certificate",
        person="teacher_id",
        placed_by="placement",
        app_rights=READ_ONLY,
        worker_rights=(*ADD_ONLY, "UPDATE"),
    )
    op.create_table(
        "certificate_history",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("at", _instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    row_security.protect(
        op,
        "certificate_history",
        person="teacher_id",
        placed_by="placement",
        app_rights=READ_ONLY,
        worker_rights=ADD_ONLY,
    )


def create_document():
    op.create_table(
        "document",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("storage_key", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("rendered_at", _instant, nullable=False),
    )
    row_security.protect(
        op, "document", person="teacher_id", placed_by="placement", app_rights=ADD_ONLY, worker_rights=ADD_ONLY
    )
