"""Why an account stands no more: what tells an erased one apart, so that either can be rebuilt from identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("known_account", sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_check_constraint("known_account_erased", "known_account", "NOT (erased AND standing)")
    # Whoever stands no more and was not merged away was erased; `yanxiu resync org` puts right what this cannot know.
    forced = ("known_account", "person_merge")
    for table in forced:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE known_account SET erased = true WHERE NOT standing AND NOT EXISTS (
            SELECT 1 FROM person_merge WHERE merged_id = known_account.account_id AND live)
    """)
    for table in forced:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
