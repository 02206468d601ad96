"""Links to certificates."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0010"
down_revision = "0009"

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "share",
        sa.Column("share_id", sa.Uuid, primary_key=True),
        sa.Column("certificate_id", sa.Uuid, nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False),
        sa.Column("revoked_at", _instant),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("opened_at", _instant),
    )
    op.create_index("share_certificate", "share", ["certificate_id", "share_id"])
    op.create_index("share_teacher", "share", ["teacher_id"])
    # The holder's alone: no administrator sees to whom a teacher shows what.
    row_security.protect(op, "share", person="teacher_id", app_rights=("SELECT", "INSERT", "UPDATE"))
