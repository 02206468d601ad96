"""The shelf: what is counted of offerings, and by what they are found and ordered."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _count()
    op.create_table(
        "teaching",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
    )
    row_security.protect(op, "teaching", person="teacher_id", app_rights=("SELECT",))
    op.create_table(
        "choice",
        sa.Column("choice_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("offering_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
    )
    op.create_index("choice_teacher", "choice", ["teacher_id", "offering_id"])
    row_security.protect(op, "choice", person="teacher_id", app_rights=("SELECT",))
    op.create_table(
        "peer_tally",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.Text(collation="C"), primary_key=True),
        sa.Column("period_id", sa.Uuid, nullable=False),
        sa.Column("chosen", sa.Integer, nullable=False),
    )
    op.create_index("peer_tally_most", "peer_tally", ["period_id", "subject", "chosen", "offering_id"])
    # Numbers without names; nobody can tell from them who chose.
    row_security.protect(op, "peer_tally", app="true", check="false", app_rights=("SELECT",))
    op.create_table(
        "rating",
        sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.course_id"), primary_key=True),
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("offering_id", sa.Uuid, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="rating_stars"),
    )
    row_security.protect(op, "rating", person="teacher_id", app_rights=("SELECT",))


def _count() -> None:
    op.add_column("offering", sa.Column("summary", sa.Text, nullable=False, server_default=""))
    op.alter_column("offering", "summary", server_default=None)
    for name in ("chosen", "ratings", "stars"):
        op.add_column("offering", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    # Five ratings of three stars for free (ours): a single five does not outrun a hundred fours.
    score = sa.Computed("round((stars + 15.0) / (ratings + 5), 2)", persisted=True)
    op.add_column("offering", sa.Column("score", sa.Numeric(4, 2), score, nullable=False))
    op.create_index("offering_most_chosen", "offering", ["period_id", "chosen", "offering_id"])
    op.create_index("offering_series", "offering", ["period_id", "series", "offering_id"])
    op.create_index("offering_best_rated", "offering", ["period_id", "score", "offering_id"])
