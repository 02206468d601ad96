"""Units, courses, periods and offerings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.shared import row_security

revision = "0003"
down_revision = "0002"

PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
WORDS = ARRAY(sa.Text)
# Titles, fees and dates are on the wall, so everybody may read; a district's offerings are shown to its own by the queries.
# Writing is for whoever's territory holds the place.
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    row_security.protect(op, "unit", app="true", check="false", app_rights=("SELECT",))
    _create_course()
    _create_period()
    _create_offering()


def facts() -> list[sa.Column]:
    return [
        sa.Column("course_no", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("lecturer", sa.Text, nullable=False),
        sa.Column("hour_type", sa.Text, nullable=False),
        sa.Column("course_type", sa.Text, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("fee", sa.Numeric(10, 2), nullable=False),
        sa.Column("material_fee", sa.Numeric(10, 2), nullable=False),
        sa.Column("capability_class", sa.Text),
        sa.Column("subjects", WORDS, nullable=False),
        sa.Column("segments", WORDS, nullable=False),
        sa.Column("terminals", WORDS, nullable=False),
        sa.Column("applicant_unit_id", sa.Uuid, nullable=False),
        sa.Column("charging_unit_id", sa.Uuid, nullable=False),
        sa.Column("series", sa.Text, nullable=False),
    ]


def _create_course() -> None:
    op.create_table(
        "course",
        sa.Column("course_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        *facts(),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("hours > 0 AND fee >= 0 AND material_fee >= 0", name="course_amounts"),
        sa.CheckConstraint("state IN ('OPEN', 'WITHDRAWN')", name="course_state"),
    )
    op.create_index("course_number", "course", ["place", "course_no"], unique=True)
    op.create_index("course_place", "course", ["place", "course_id"])
    row_security.protect(op, "course", app="true", check="app_covers(course.place)", app_rights=KEPT)
    op.create_table(
        "course_version",
        sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.course_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
    )
    # Who made which change is for those who keep the record.
    row_security.protect(
        op, "course_version", place="place", app_rights=("SELECT", "INSERT"), worker_rights=("SELECT", "INSERT")
    )


def _create_period() -> None:
    op.create_table(
        "period",
        sa.Column("period_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("selects_from", INSTANT, nullable=False),
        sa.Column("selects_until", INSTANT, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("selects_from < selects_until", name="period_window"),
        sa.CheckConstraint("tier IN ('CITY', 'DISTRICT')", name="period_tier"),
        sa.CheckConstraint(
            "state IN ('PLANNED', 'PUBLISHED', 'SELECTING', 'CLOSED', 'BILLED', 'TEACHING', 'GRADED', 'ARCHIVED')",
            name="period_state",
        ),
    )
    op.create_index("period_code", "period", ["place", "code"], unique=True)
    op.create_index("period_place", "period", ["place", "period_id"])
    op.create_index(
        "period_due", "period", ["period_id"], postgresql_where=sa.text("state IN ('PUBLISHED', 'SELECTING')")
    )
    row_security.protect(op, "period", app="true", check="app_covers(period.place)", app_rights=KEPT)


def _create_offering() -> None:
    op.create_table(
        "offering",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("period_id", sa.Uuid, sa.ForeignKey("period.period_id"), nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.course_id"), nullable=False),
        sa.Column("course_version", sa.Integer, nullable=False),
        *facts(),
        sa.Column("applicant_place", PLACE, nullable=False),
        sa.Column("charging_place", PLACE, nullable=False),
        sa.Column("capacity", sa.Integer),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tokens", WORDS, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("capacity > 0", name="offering_capacity"),
        sa.CheckConstraint("state IN ('OPEN', 'WITHDRAWN')", name="offering_state"),
    )
    # One course once in a period, also when it was withdrawn: its choices would be two people's matter.
    op.create_index("offering_course", "offering", ["period_id", "course_id"], unique=True)
    op.create_index("offering_of_course", "offering", ["course_id"])
    op.create_index("offering_period", "offering", ["period_id", "offering_id"])
    op.create_index("offering_applicant", "offering", ["applicant_unit_id"])
    op.create_index("offering_charging", "offering", ["charging_unit_id"])
    op.create_index("offering_tokens", "offering", ["tokens"], postgresql_using="gin")
    row_security.protect(op, "offering", app="true", check="app_covers(offering.place)", app_rights=KEPT)
    op.create_table(
        "offering_version",
        sa.Column("offering_id", sa.Uuid, sa.ForeignKey("offering.offering_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
    )
    row_security.protect(
        op, "offering_version", place="place", app_rights=("SELECT", "INSERT"), worker_rights=("SELECT", "INSERT")
    )
