"""Sign-in: captcha, desks, step-up, one-time passwords, tenant policies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0003"
down_revision = "0002"


def instant(name, *, nullable=True):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name, **options):
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def upgrade() -> None:
    op.add_column("account", instant("one_time_until"))
    extend_sign_ins()
    # Each area asks for codes of its own purposes; which exist says the code, in one place per area.
    op.drop_constraint("sms_code_purpose", "sms_code")
    create_captchas()
    create_tenant_policies()


def extend_sign_ins() -> None:
    op.add_column("sign_in", text("method", server_default="PASSWORD"))
    op.execute("UPDATE sign_in SET method = 'SMS_CODE' WHERE by_code")
    op.alter_column("sign_in", "method", server_default=None)
    op.add_column("sign_in", text("device", server_default=""))
    op.add_column("sign_in", text("address", server_default=""))
    op.add_column("sign_in", instant("last_used_at"))
    op.execute("UPDATE sign_in SET last_used_at = started_at")
    op.alter_column("sign_in", "last_used_at", nullable=False)
    op.add_column("sign_in", text("desk", server_default="TEACHER"))
    op.add_column("sign_in", instant("desk_opened_at"))
    op.add_column("sign_in", instant("elevated_until"))
    op.add_column("sign_in", instant("tokens_not_before"))
    op.create_check_constraint(
        "sign_in_method", "sign_in", "method IN ('REGISTRATION', 'PASSWORD', 'SMS_CODE', 'PASS')"
    )
    op.create_check_constraint("sign_in_desk", "sign_in", "desk IN ('TEACHER', 'ADMINISTRATOR')")
    # The list of one's own living sign-ins, newest first.
    op.drop_index("sign_in_account", "sign_in")
    op.create_index("sign_in_account", "sign_in", ["account_id", "id"])


def create_captchas() -> None:
    op.create_table(
        "spent_captcha", text("nonce", primary_key=True), text("spent_by"), instant("expires_at", nullable=False)
    )
    op.create_index("spent_captcha_age", "spent_captcha", ["expires_at"])
    row_security.protect(op, "spent_captcha", app="false", app_rights=())


def create_tenant_policies() -> None:
    op.create_table(
        "tenant_policy",
        sa.Column("policy_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        text("mode"),
        text("profile_review"),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
    )
    # No persons in it, and every sign-in reads it.
    row_security.protect(op, "tenant_policy", app="true", app_rights=("SELECT",))
