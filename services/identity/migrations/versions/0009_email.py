"""Addresses that their owners have confirmed, and warnings that go there as well."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0009"
down_revision = "0008"


def text(name, **options):
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("profile", instant("email_confirmed_at", nullable=True))
    # A constant default: no row is written, however many there are.
    op.add_column("notice", text("channel", server_default="SMS"))
    op.add_column("notice", text("email_sealed", nullable=True))
    create_codes()
    address_mailbox()


def create_codes() -> None:
    op.create_table(
        "email_code",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account_id", UUID(as_uuid=True), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        text("email_sealed"),
        text("email_index"),
        text("code_index"),
        text("code_sealed", nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        instant("issued_at"),
        instant("expires_at"),
        instant("used_at", nullable=True),
    )
    op.create_index("email_code_account", "email_code", ["account_id", "id"])
    op.create_index("email_code_address", "email_code", ["email_index", "issued_at"])
    op.create_index("email_code_age", "email_code", ["issued_at"])
    row_security.protect(op, "email_code", app="false", app_rights=())


def address_mailbox() -> None:
    """The mailbox of a development installation holds mail too; what is in it can go."""
    op.execute("DELETE FROM development_message")
    for field in ("sealed", "index"):
        op.alter_column("development_message", f"phone_{field}", new_column_name=f"to_{field}")
    op.add_column("development_message", text("channel"))
