"""Changes of phone, national passes, notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.shared import row_security

revision = "0004"
down_revision = "0003"

IN_PROGRESS = "state IN ('SUBMITTED', 'IN_REVIEW', 'COOLING')"


def upgrade() -> None:
    create_phone_changes()
    create_tickets()
    create_passes()
    create_notices()
    protect_tables()


def key(name="id"):
    return sa.Column(name, UUID(as_uuid=True), primary_key=True)


def text(name, **options):
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def account(**options):
    target = sa.ForeignKey("account.id", ondelete="CASCADE")
    return sa.Column("account_id", UUID(as_uuid=True), target, **{"nullable": False, **options})


def someone(name):
    return sa.Column(name, UUID(as_uuid=True))


def create_phone_changes():
    op.create_table(
        "phone_change",
        key(),
        account(),
        someone("sign_in_id"),
        text("state"),
        text("new_phone_sealed", nullable=True),
        instant("started_at"),
        instant("expires_at"),
        instant("finished_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('OLD_SENT', 'OLD_PROVED', 'NEW_SENT', 'DONE', 'REPLACED')", name="phone_change_state"
        ),
    )
    op.create_index(
        "phone_change_one",
        "phone_change",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('OLD_SENT', 'OLD_PROVED', 'NEW_SENT')"),
    )
    op.create_index("phone_change_age", "phone_change", ["started_at"])


def create_tickets():
    op.create_table(
        "phone_ticket",
        key(),
        sa.Column("version", sa.Integer, nullable=False),
        text("state"),
        account(nullable=True),
        text("language"),
        text("name_sealed", nullable=True),
        text("id_type"),
        text("id_no_sealed", nullable=True),
        text("old_phone_sealed", nullable=True),
        text("old_phone_index", nullable=True),
        text("new_phone_sealed", nullable=True),
        text("new_phone_index", nullable=True),
        someone("claimed_by"),
        instant("claimed_at", nullable=True),
        someone("first_approved_by"),
        someone("decided_by"),
        instant("decided_at", nullable=True),
        instant("cools_until", nullable=True),
        text("stop_hash", nullable=True, unique=True),
        text("reason", server_default=""),
        text("note_sealed", nullable=True),
        instant("opened_at"),
        instant("submitted_at", nullable=True),
        instant("over_at", nullable=True),
        instant("forget_at", nullable=True),
        instant("forgotten_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'COOLING', 'DONE', 'REJECTED', 'CANCELLED', 'EXPIRED')",
            name="phone_ticket_state",
        ),
        sa.CheckConstraint("(state = 'IN_REVIEW') <= (claimed_by IS NOT NULL)", name="phone_ticket_claimed"),
        sa.CheckConstraint("(state = 'COOLING') <= (cools_until IS NOT NULL)", name="phone_ticket_cooling"),
        sa.CheckConstraint(
            "(state IN ('DONE', 'REJECTED', 'CANCELLED', 'EXPIRED')) = (over_at IS NOT NULL)", name="phone_ticket_over"
        ),
        # A phone and an account have one ticket in progress. During a rotation of keys the actions see to it.
        sa.CheckConstraint(
            "forgotten_at IS NULL OR num_nonnulls(name_sealed, id_no_sealed, old_phone_sealed, old_phone_index,"
            " new_phone_sealed, new_phone_index, note_sealed) = 0",
            name="phone_ticket_forgotten",
        ),
    )
    for column in ("old_phone_index", "new_phone_index", "account_id"):
        op.create_index(
            f"phone_ticket_one_{column}", "phone_ticket", [column], unique=True, postgresql_where=sa.text(IN_PROGRESS)
        )
    op.create_index("phone_ticket_queue", "phone_ticket", ["state", "id"])
    op.create_index("phone_ticket_new", "phone_ticket", ["new_phone_index", "opened_at"])
    op.create_index("phone_ticket_account", "phone_ticket", ["account_id", "id"])
    op.create_index(
        "phone_ticket_forget", "phone_ticket", ["forget_at"], postgresql_where=sa.text("forgotten_at IS NULL")
    )
    op.create_table(
        "ticket_evidence",
        key(),
        sa.Column(
            "ticket_id",
            UUID(as_uuid=True),
            sa.ForeignKey("phone_ticket.id", ondelete="CASCADE"),
            nullable=False,
        ),
        text("sha256"),
        text("media_type"),
        sa.Column("size", sa.Integer, nullable=False),
        text("file_key_sealed", nullable=True),
        text("storage_key", nullable=True),
        instant("added_at"),
        sa.UniqueConstraint("ticket_id", "sha256"),
        sa.CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name="ticket_evidence_type"),
    )


def create_passes():
    op.create_table(
        "pass_binding",
        key(),
        account(),
        text("issuer"),
        text("subject_sealed"),
        text("subject_index"),
        instant("bound_at"),
        instant("used_at", nullable=True),
        sa.UniqueConstraint("issuer", "subject_index"),
        sa.UniqueConstraint("account_id", "issuer"),
    )
    op.create_table(
        "pass_flow",
        key(),
        text("state_hash", unique=True),
        text("client_key_hash"),
        text("issuer"),
        text("purpose"),
        account(nullable=True),
        someone("sign_in_id"),
        text("redirect_uri"),
        text("nonce_sealed"),
        text("verifier_sealed"),
        instant("started_at"),
        instant("expires_at"),
        text("used_by", nullable=True),
        text("subject_sealed", nullable=True),
        sa.CheckConstraint("purpose IN ('SIGN_IN', 'BIND')", name="pass_flow_purpose"),
        sa.CheckConstraint("(purpose = 'BIND') = (account_id IS NOT NULL)", name="pass_flow_account"),
    )
    op.create_index("pass_flow_age", "pass_flow", ["started_at"])


def create_notices():
    op.create_table(
        "notice",
        key(),
        text("cause", unique=True),
        account(nullable=True),
        text("kind"),
        sa.Column("details", JSONB, nullable=False),
        text("language", nullable=True),
        text("phone_sealed", nullable=True),
        text("secret_sealed", nullable=True),
        text("state"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        instant("created_at"),
        instant("due_at"),
        instant("sent_at", nullable=True),
        sa.CheckConstraint("state IN ('WAITING', 'SENT', 'CAPPED', 'GIVEN_UP')", name="notice_state"),
        sa.CheckConstraint("state <> 'WAITING' OR num_nonnulls(account_id, phone_sealed) > 0", name="notice_addressee"),
    )
    op.create_index("notice_due", "notice", ["due_at", "id"], postgresql_where=sa.text("state = 'WAITING'"))
    op.create_index("notice_account", "notice", ["account_id", "id"])
    op.create_index("notice_age", "notice", ["created_at"])
    op.create_table("notice_setting", account(primary_key=True), text("language"))


def protect_tables():
    for table in ("phone_change", "ticket_evidence", "pass_flow"):
        row_security.protect(op, table, app="false", app_rights=())
    for table in ("phone_ticket", "pass_binding", "notice"):
        row_security.protect(op, table, person="account_id", app_rights=("SELECT",))
    row_security.protect(op, "notice_setting", person="account_id")
