"""Degree and skills offers, and applications for them."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0007"
down_revision = "0006"

PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "study_offer",
        sa.Column("offer_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("shown_at", PLACE, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("fee", sa.Numeric(10, 2), nullable=False),
        sa.Column("duration", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("applies_from", INSTANT, nullable=False),
        sa.Column("applies_until", INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("applies_from < applies_until", name="study_offer_window"),
        sa.CheckConstraint("state IN ('OPEN', 'WITHDRAWN')", name="study_offer_state"),
    )
    op.create_index("study_offer_place", "study_offer", ["place", "offer_id"])
    op.create_index("study_offer_shown_at", "study_offer", ["shown_at", "offer_id"])
    # Offers are on the wall; keeping one is scoped.
    row_security.protect(op, "study_offer", app="true", check="app_covers(study_offer.place)", app_rights=KEPT)
    op.create_table(
        "study_application",
        sa.Column("application_id", sa.Uuid, primary_key=True),
        sa.Column("offer_id", sa.Uuid, sa.ForeignKey("study_offer.offer_id"), nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("applied_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('APPLIED', 'TAKEN_BACK', 'ACCEPTED', 'REJECTED')", name="study_application_state"
        ),
    )
    op.create_index("study_application_once", "study_application", ["offer_id", "teacher_id"], unique=True)
    op.create_index("study_application_teacher", "study_application", ["teacher_id", "application_id"])
    row_security.protect(op, "study_application", person="teacher_id", place="place", app_rights=KEPT)
