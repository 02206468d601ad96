"""`yanxiu migrate`: create or update the databases of all services."""

from __future__ import annotations

import click


@click.command
def command() -> None:
    """Create or update the databases.

    Embedded, it starts (or joins) this folder's PostgreSQL for as long as it takes. Against servers, DATABASE_URL must
    name a role that may create databases and roles.
    """
    from services.shared.settings import load_settings
    from yanxiu.local import launcher

    with launcher.database(load_settings()) as settings:
        for service in launcher.migrate(settings):
            click.echo(f"{service}: up to date")
