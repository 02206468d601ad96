"""Course lists as jobs, and the grants that their owners hold."""

from alembic import op

from services.shared import account_grants
from services.shared.bulk import tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    tables.create_bulk(op)
    account_grants.create_account_grants(op)
    # A course list names its units.
    op.create_index("unit_name", "unit", ["name"])
