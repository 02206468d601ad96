"""Entries of one source are numbered: its n-th change exists once, whoever writes it.

Before, one rule judged one state of the evidence once; so hours that a changed pack took back could never be given again
under the same evidence.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("ledger", sa.Column("turn", sa.Integer))
    op.execute("""
        UPDATE ledger SET turn = numbered.turn
        FROM (SELECT teacher_id, entry_id, row_number() OVER (
                  PARTITION BY teacher_id, source_ref ORDER BY recorded_at, entry_id) AS turn FROM ledger) AS numbered
        WHERE ledger.teacher_id = numbered.teacher_id AND ledger.entry_id = numbered.entry_id
    """)
    op.alter_column("ledger", "turn", nullable=False)
    op.drop_constraint("ledger_natural_key", "ledger")
    op.create_unique_constraint("ledger_natural_key", "ledger", ["teacher_id", "source_ref", "turn"])
    op.create_check_constraint("ledger_turn", "ledger", "turn > 0")
