"""Who is archived, as org tells it: no year of theirs is frozen or counted. Fill it with `yanxiu resync credits`."""

from alembic import op

from services.shared.employment import create_employment

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    create_employment(op)
