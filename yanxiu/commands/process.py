"""`yanxiu process`: one process type in the foreground, as a container or a supervisor runs it."""

from __future__ import annotations

import os
import sys

import click

from yanxiu.local.processes import GATEWAY, GUNICORN_SETTINGS, PROCESS_NAMES


@click.command
@click.argument("name", type=click.Choice(PROCESS_NAMES))
def command(name: str) -> None:
    """Run one process type until it is told to stop. Needs DATABASE_URL and AMQP_URI."""
    from services.shared.settings import SettingsError, load_settings

    if load_settings().embedded:
        raise SettingsError("a single process needs DATABASE_URL and AMQP_URI; `yanxiu up` runs everything embedded")
    # Either program takes this process over, so that signals reach it without anything in between.
    if name == GATEWAY:
        arguments = ["gunicorn", "--config", str(GUNICORN_SETTINGS), "gateway.wsgi:app"]
    else:
        arguments = ["yanxiu.local.service_process", name]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606  no shell on purpose
