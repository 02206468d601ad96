"""Migrations: databases, roles, then each service's own alembic history. Run by an administrator role, before start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.shared.database import database_password
from services.shared.keys import KeyRing
from services.shared.row_security import DatabaseRoles
from services.shared.settings import SERVICES, Settings

SERVICES_FOLDER = Path(__file__).resolve().parent.parent


def run_environment() -> None:
    """Body of each service's `migrations/env.py`: the connection comes from `migrate_service`."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_all(settings: Settings, keyring: KeyRing, services: tuple[str, ...] = SERVICES) -> Iterator[str]:
    """Bring every service's database to the newest version; yields each service's name when it is done."""
    for service in services:
        migrate_service(settings, keyring, service)
        yield service


def migrate_service(settings: Settings, keyring: KeyRing, service: str, folder: Path | None = None) -> None:
    """Create one service's roles and database when missing, and upgrade it. `folder` holds its `migrations/`."""
    folder = folder or SERVICES_FOLDER / service
    name = settings.database_name(service)
    _create_database(settings, keyring, service, name)
    with _connect(settings, name) as connection:
        if _is_current(connection, folder):
            return
        roles = DatabaseRoles.of(name)
        connection.execute(sa.text(f'SET ROLE "{roles.owner}"'))
        connection.commit()
        command.upgrade(_config(folder, connection), "head")


def _is_current(connection: sa.Connection, folder: Path) -> bool:
    head = ScriptDirectory.from_config(_config(folder)).get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return current == head


def _config(folder: Path, connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextlib.contextmanager
def _connect(settings: Settings, database: str, **options: Any) -> Iterator[sa.Connection]:
    url = sa.make_url(settings.database_url).set(drivername="postgresql+psycopg", database=database)
    engine = sa.create_engine(url, poolclass=sa.NullPool, **options)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _create_database(settings: Settings, keyring: KeyRing, service: str, name: str) -> None:
    """Create the roles and the database when they are missing. Needs a role that may create both."""
    roles = DatabaseRoles.of(name)
    with _connect(settings, "postgres", isolation_level="AUTOCOMMIT") as connection:
        for role in (roles.owner, roles.app, roles.worker):
            login = (
                "NOLOGIN" if role == roles.owner else f"LOGIN PASSWORD '{database_password(keyring, service, role)}'"
            )
            # Two installers may race; a role that exists only gets its password again.
            connection.execute(
                sa.text(
                    f"""DO $$ BEGIN
                        CREATE ROLE "{role}" {login} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN
                        ALTER ROLE "{role}" {login};
                    END $$"""
                )
            )
        connection.execute(sa.text(f'GRANT "{roles.owner}" TO CURRENT_USER'))
        exists = connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
        if exists.one_or_none() is None:
            connection.execute(
                sa.text(
                    f"""CREATE DATABASE "{name}" OWNER "{roles.owner}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"""
                )
            )
            connection.execute(sa.text(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC'))
            connection.execute(sa.text(f'GRANT CONNECT ON DATABASE "{name}" TO "{roles.app}", "{roles.worker}"'))


def drop_all(settings: Settings, services: tuple[str, ...] = SERVICES) -> None:
    """Remove the databases and roles of this installation's prefix (tests)."""
    with _connect(settings, "postgres", isolation_level="AUTOCOMMIT") as connection:
        for service in services:
            name = settings.database_name(service)
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            roles = DatabaseRoles.of(name)
            for role in (roles.app, roles.worker, roles.owner):
                connection.execute(sa.text(f'DROP ROLE IF EXISTS "{role}"'))
