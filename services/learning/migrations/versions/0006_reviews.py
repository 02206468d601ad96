"""Reviews of conspicuous study: what was found, which sittings it holds, and every step of its way."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0006"
down_revision = "0005"


class Ranges(sa.types.UserDefinedType):
    def get_col_spec(self, **_):
        return "INT4MULTIRANGE"


def _instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade():
    op.add_column("watched", sa.Column("held", Ranges, nullable=False, server_default="{}"))
    op.create_check_constraint("held_was_countable", "watched", "held <@ countable")
    op.add_column("study_session", sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()))
    _create_reviews()


def _create_reviews():
    op.create_table(
        "study_review",
        sa.Column("review_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("anomaly", sa.Text, nullable=False),
        sa.Column("studied_on", sa.Date, nullable=False),
        sa.Column("found", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        _instant("found_at"),
        _instant("changed_at"),
        # Looking at a day once more finds nothing twice, and reopens nothing that was decided.
        sa.UniqueConstraint("teacher_id", "anomaly", "studied_on", name="one_review_per_finding"),
    )
    row_security.protect(
        op, "study_review", person="teacher_id", placed_by="placement", app_rights=("SELECT", "UPDATE")
    )
    op.create_table(
        "review_sitting",
        sa.Column("review_id", sa.Uuid, sa.ForeignKey("study_review.review_id"), primary_key=True),
        sa.Column("study_session_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
    )
    op.create_index("review_sitting_session", "review_sitting", ["study_session_id"])
    # Which sittings they were is nobody's business but the teacher's: reviewers see how many.
    row_security.protect(op, "review_sitting", person="teacher_id", app_rights=("SELECT",))
    op.create_table(
        "review_step",
        sa.Column("review_id", sa.Uuid, sa.ForeignKey("study_review.review_id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("by", sa.Uuid, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _instant("at"),
    )
    add_only = ("SELECT", "INSERT")
    row_security.protect(
        op, "review_step", person="teacher_id", placed_by="placement", app_rights=add_only, worker_rights=add_only
    )
    op.create_table("inspected_day", sa.Column("day", sa.Date, primary_key=True), _instant("inspected_at"))
    row_security.protect(op, "inspected_day", app="false", app_rights=())
