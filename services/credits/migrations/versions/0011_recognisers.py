"""Which of the four levels recognised a declaration."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# As in `recogniser_at`, which later releases may change: what was approved before is read from its entry once.
_LEVEL = """
    CASE
        WHEN ledger.recognised_at !~ '/[0-9]{6}$' THEN 'SCHOOL'
        WHEN ledger.recognised_at LIKE '%0000' THEN 'PROVINCE'
        WHEN ledger.recognised_at LIKE '%00' THEN 'CITY'
        ELSE 'COUNTY'
    END
"""


def upgrade() -> None:
    op.add_column("declaration", sa.Column("recogniser", sa.Text))
    op.create_check_constraint(
        "declaration_recogniser", "declaration", "recogniser IN ('SCHOOL', 'COUNTY', 'CITY', 'PROVINCE')"
    )
    # Forced row security binds the owner, who runs this, as well.
    for table in ("declaration", "ledger"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"UPDATE declaration SET recogniser = {_LEVEL} FROM ledger"
        " WHERE ledger.teacher_id = declaration.teacher_id AND ledger.turn = 1"
        " AND ledger.source_ref = 'declaration:' || declaration.declaration_id AND ledger.recognised_at <> ''"
    )
    for table in ("declaration", "ledger"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
