"""`yanxiu migrate`: create or update the databases of all services and the broker's queues."""

from __future__ import annotations

import click


@click.command
def command() -> None:
    """Create or update the databases and the broker's queues.

    Embedded, it starts (or joins) this folder's PostgreSQL for as long as it takes. Against servers, DATABASE_URL must
    name a role that may create databases and roles.
    """
    from services.shared.settings import load_settings
    from yanxiu.local import launcher

    with launcher.database(load_settings()) as settings:
        for done in launcher.migrate(settings):
            click.echo(f"{done}: up to date")
