"""Divisions, schools, memberships, grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from services.shared import row_security, tables

revision = "0001"
down_revision = None

PLACE = sa.Text(collation="C")
ID = UUID(as_uuid=True)
INSTANT = sa.DateTime(timezone=True)
# Who was where and who held what must stay answerable: no role may delete it.
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    tables.create_plumbing(op)
    create_division()
    create_school()
    create_membership()
    create_grant()


def create_division() -> None:
    op.create_table(
        "division",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("leaf", sa.Boolean, nullable=False),
        sa.CheckConstraint("level IN ('PROVINCE', 'CITY', 'COUNTY')", name="division_level"),
        sa.CheckConstraint("code ~ '^[1-9][0-9]{5}$'", name="division_code"),
    )
    op.create_index("division_parent", "division", ["parent", "code"])
    row_security.open_to_app(op, "division")


def create_school() -> None:
    op.create_table(
        "school",
        sa.Column("school_id", ID, primary_key=True),
        sa.Column("place", PLACE, nullable=False, unique=True),
        sa.Column("parent", PLACE, nullable=False),
        sa.Column("division_code", sa.Text, sa.ForeignKey("division.code"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_tokens", ARRAY(sa.Text), nullable=False),
        # Unique over every state: a void code is never used again.
        sa.Column("code", sa.Text, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("attachment", sa.Text, nullable=False),
        sa.Column("school_type", sa.Text, nullable=False),
        sa.Column("nature", sa.Text, nullable=False),
        sa.Column("town", sa.Text, nullable=False),
        sa.Column("other", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'MERGED', 'CLOSED')", name="school_state"),
        sa.CheckConstraint("starts_with(place, parent || '/')", name="school_place"),
    )
    op.create_index(
        "school_name",
        "school",
        ["parent", "name"],
        unique=True,
        postgresql_where=sa.text("state IN ('DRAFT', 'ACTIVE')"),
    )
    op.create_index("school_name_tokens", "school", ["name_tokens"], postgresql_using="gin")
    # Names of schools are public, so that a teacher can choose; only those who manage a place may add one there.
    row_security.protect(op, "school", app="true", check="app_covers(school.parent)", app_rights=("SELECT", "INSERT"))
    op.create_table(
        "school_contact",
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("seal_name", sa.Text, nullable=False),
        sa.Column("head_name", sa.Text, nullable=False),
        sa.Column("head_mobile_sealed", sa.Text, nullable=False),
    )
    row_security.protect(op, "school_contact", place="place", app_rights=("SELECT", "INSERT"))


def create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("teacher_id", ID, primary_key=True),
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('PENDING', 'VERIFIED', 'REJECTED', 'RELEASED')", name="membership_state"),
    )
    op.create_index("membership_place", "membership", ["place", "teacher_id"])
    row_security.protect(op, "membership", person="teacher_id", place="place", app_rights=KEPT, worker_rights=KEPT)
    op.create_table(
        "membership_period",
        sa.Column("period_id", ID, primary_key=True),
        sa.Column("teacher_id", ID, nullable=False),
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("verified_at", INSTANT),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_at", INSTANT),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="membership_period_closed"),
    )
    op.create_index("membership_period_teacher", "membership_period", ["teacher_id", "opened_at"])
    # A teacher is at one school at a time, whatever the code above it does.
    op.create_index(
        "membership_period_open",
        "membership_period",
        ["teacher_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    row_security.protect(
        op, "membership_period", person="teacher_id", place="place", app_rights=KEPT, worker_rights=KEPT
    )


def create_grant() -> None:
    op.create_table(
        "grant_holder",
        sa.Column("account_id", ID, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    row_security.protect(op, "grant_holder", person="account_id", app_rights=("SELECT",))
    op.create_table(
        "admin_grant",
        sa.Column("grant_id", ID, primary_key=True),
        sa.Column("account_id", ID, sa.ForeignKey("grant_holder.account_id"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT),
        sa.Column("announced", sa.Boolean, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("ended_by", sa.Text),
        sa.Column("ended_at", INSTANT),
        sa.CheckConstraint("state IN ('ACTIVE', 'REVOKED', 'EXPIRED')", name="admin_grant_state"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="admin_grant_period"),
        sa.CheckConstraint("(state = 'ACTIVE') = (ended_at IS NULL)", name="admin_grant_ended"),
    )
    active = sa.text("state = 'ACTIVE'")
    op.create_index(
        "admin_grant_active", "admin_grant", ["account_id", "role", "place"], unique=True, postgresql_where=active
    )
    op.create_index(
        "admin_grant_principal",
        "admin_grant",
        ["place"],
        unique=True,
        postgresql_where=sa.text("state = 'ACTIVE' AND role = 'PRINCIPAL'"),
    )
    op.create_index("admin_grant_place", "admin_grant", ["place", "grant_id"])
    op.create_index("admin_grant_due", "admin_grant", ["valid_to"], postgresql_where=active)
    op.create_index(
        "admin_grant_waiting",
        "admin_grant",
        ["valid_from"],
        postgresql_where=sa.text("state = 'ACTIVE' AND NOT announced"),
    )
    row_security.protect(
        op, "admin_grant", person="account_id", place="place", app_rights=("SELECT",), worker_rights=KEPT
    )
