"""Accounts, profiles, sign-ins, SMS codes and the projections of org."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.shared import placement, row_security, tables

revision = "0001"
down_revision = None


def upgrade():
    tables.create_plumbing(op)
    placement.create_placement(op)
    create_people()
    create_sign_ins()
    create_codes()
    protect_tables()


def key(name="id"):
    return sa.Column(name, UUID(as_uuid=True), primary_key=True)


def text(name, **options):
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def reference(name, table, **options):
    target = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, UUID(as_uuid=True), target, **{"nullable": False, **options})


def create_people():
    op.create_table(
        "account",
        key(),
        text("phone_sealed"),
        text("phone_index", unique=True),
        text("password_hash", nullable=True),
        sa.Column("identities", ARRAY(sa.Text), nullable=False),
        text("active_identity"),
        sa.Column("failed_count", sa.Integer, nullable=False, server_default="0"),
        instant("locked_at", nullable=True),
        instant("tokens_not_before", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        text("origin"),
        instant("registered_at"),
        sa.CheckConstraint("active_identity = ANY (identities)", name="account_active_identity_held"),
        sa.CheckConstraint(
            "identities <@ ARRAY['TEACHER', 'STUDENT', 'GUARDIAN']::text[]", name="account_identities_known"
        ),
        sa.CheckConstraint("failed_count >= 0", name="account_failed_count"),
        sa.CheckConstraint("origin IN ('SELF', 'IMPORT')", name="account_origin"),
    )
    op.create_table(
        "profile",
        reference("account_id", "account", primary_key=True),
        text("name_sealed", nullable=True),
        text("id_type", nullable=True),
        text("id_no_sealed", nullable=True),
        text("id_no_index", nullable=True, unique=True),
        text("gender", server_default="0"),
        text("segment", server_default=""),
        text("subject", server_default=""),
        instant("changed_at"),
        sa.CheckConstraint("num_nulls(id_type, id_no_sealed, id_no_index) IN (0, 3)", name="profile_id_whole"),
    )
    op.create_table(
        "profile_history",
        key(),
        reference("account_id", "account"),
        text("field"),
        text("value_sealed"),
        instant("replaced_at"),
    )
    op.create_index("profile_history_account", "profile_history", ["account_id"])


def create_sign_ins():
    op.create_table(
        "sign_in",
        key(),
        reference("account_id", "account"),
        sa.Column("by_code", sa.Boolean, nullable=False),
        instant("started_at"),
        instant("ended_at", nullable=True),
        text("end_reason", server_default=""),
    )
    op.create_index("sign_in_account", "sign_in", ["account_id"])
    op.create_table(
        "refresh_token",
        text("token_hash", primary_key=True),
        reference("sign_in_id", "sign_in"),
        reference("account_id", "account"),
        instant("issued_at"),
        instant("expires_at"),
        instant("used_at", nullable=True),
        text("used_by", nullable=True),
        text("replaces", nullable=True, unique=True),
    )
    op.create_index("refresh_token_sign_in", "refresh_token", ["sign_in_id"])
    op.create_index("refresh_token_account", "refresh_token", ["account_id"])
    op.create_index("refresh_token_age", "refresh_token", ["expires_at"])
    # No reference: a grant may be announced before its account, and a revocation must outlive a deleted sign-in.
    op.create_table(
        "revocation",
        key(),
        sa.Column("account_id", UUID(as_uuid=True), nullable=False),
        sa.Column("sign_in_id", UUID(as_uuid=True)),
        instant("not_before"),
        instant("revoked_at"),
    )
    op.create_index("revocation_age", "revocation", ["revoked_at"])
    op.create_table(
        "account_grants",
        key("account_id"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("grants", JSONB, nullable=False),
    )


def create_codes():
    op.create_table(
        "sms_code",
        key(),
        text("phone_index"),
        text("phone_sealed"),
        text("address_index"),
        text("purpose"),
        text("code_index"),
        text("code_sealed", nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        instant("issued_at"),
        instant("expires_at"),
        instant("used_at", nullable=True),
        sa.CheckConstraint("purpose IN ('REGISTER', 'SIGN_IN')", name="sms_code_purpose"),
    )
    op.create_index("sms_code_phone", "sms_code", ["phone_index", "issued_at"])
    op.create_index("sms_code_address", "sms_code", ["address_index", "issued_at"])
    op.create_index("sms_code_age", "sms_code", ["issued_at"])
    op.create_table(
        "development_message",
        key(),
        text("phone_sealed"),
        text("phone_index"),
        text("text_sealed"),
        instant("sent_at"),
    )
    op.create_index("development_message_phone", "development_message", ["phone_index", "id"])
    op.create_table(
        "attempt_window",
        text("kind", primary_key=True),
        text("subject", primary_key=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("attempt_window_age", "attempt_window", ["starts_at"])


def protect_tables():
    # An administrator unlocks and lists people of the own territory; only the worker makes or removes accounts.
    row_security.protect(op, "account", person="id", placed_by="placement", app_rights=("SELECT", "UPDATE"))
    row_security.protect(op, "profile", person="account_id", placed_by="placement", app_rights=("SELECT",))
    row_security.protect(
        op, "profile_history", app="false", app_rights=(), worker_rights=("SELECT", "INSERT", "UPDATE")
    )
    row_security.protect(op, "sign_in", person="account_id", app_rights=("SELECT", "UPDATE"))
    row_security.protect(op, "refresh_token", app="false", app_rights=())
    row_security.protect(op, "revocation", person="account_id", app_rights=("INSERT",))
    row_security.protect(op, "account_grants", person="account_id", app_rights=("SELECT",))
    for table in ("sms_code", "development_message", "attempt_window"):
        row_security.protect(op, table, app="false", app_rights=())
