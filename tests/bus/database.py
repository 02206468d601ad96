"""The database of the bus tests' own services: the plumbing tables, and one table where each effect is a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from services.shared import migrations, row_security, tables
from services.shared.database import Database
from services.shared.keys import KeyRing
from services.shared.row_security import DatabaseRoles
from services.shared.settings import Settings

# Processes are named "bustest-<something>": their database is the part before the dash, as for `learning-ingest`.
OWNER = "bustest"

EFFECTS = sa.MetaData()
# No key but the row's own: an effect that happened twice shows as two rows.
effect = sa.Table(
    "effect",
    EFFECTS,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
)


def create(settings: Settings, keyring: KeyRing) -> None:
    """Create database, roles and tables, once per run."""
    name = settings.database_name(OWNER)
    migrations._create_database(settings, keyring, OWNER, name)
    with migrations._connect(settings, name) as connection, connection.begin():
        connection.execute(sa.text(f'SET ROLE "{DatabaseRoles.of(name).owner}"'))
        op: Any = Operations(MigrationContext.configure(connection))
        tables.create_plumbing(op)
        EFFECTS.create_all(connection)
        row_security.open_to_app(op, "effect", write=True)
        op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO PUBLIC")


class Effects:
    """What the services did to the database, and what they still hold."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def count(self, process: str, item: str) -> int:
        found = sa.select(sa.func.count()).select_from(effect).where(effect.c.process == process, effect.c.item == item)
        return self._scalar(found)

    def order(self, process: str) -> list[str]:
        """The items in the order of their effects."""
        with self.database.work() as db:
            found = sa.select(effect.c.item).where(effect.c.process == process).order_by(effect.c.id)
            return list(db.execute(found).scalars())

    def parked(self, consumer: str) -> list[Any]:
        """Parked rows of a consumer ("bustest-x.on_done"), oldest first."""
        with self.database.work() as db:
            found = sa.select(tables.parked).where(tables.parked.c.consumer == consumer).order_by(tables.parked.c.id)
            return list(db.execute(found))

    def unsent(self, event_type: str) -> int:
        outbox = tables.outbox.c
        return self._scalar(
            sa.select(sa.func.count())
            .select_from(tables.outbox)
            .where(outbox.type == event_type, outbox.sent_at.is_(None))
        )

    def _scalar(self, query: Any) -> int:
        with self.database.work() as db:
            return int(db.execute(query).scalar_one())
