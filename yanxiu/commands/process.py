"""`yanxiu process`: one process type in the foreground, as a container or a supervisor runs it."""

from __future__ import annotations

import os
import sys

import click

from yanxiu.local import life_line
from yanxiu.local.processes import GATEWAY, GUNICORN_SETTINGS, PROCESS_NAMES


@click.command
@click.argument("name", type=click.Choice(PROCESS_NAMES))
def command(name: str) -> None:
    """Run one process type until it is told to stop. Needs DATABASE_URL and AMQP_URI."""
    from services.shared.settings import SettingsError, load_settings

    if load_settings().embedded:
        raise SettingsError("a single process needs DATABASE_URL and AMQP_URI; `yanxiu up` runs everything embedded")
    if name == GATEWAY:
        # gunicorn takes the process over, so that signals reach it without anything in between.
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_SETTINGS), "gateway.wsgi:app"]
        os.execv(sys.executable, gunicorn)  # noqa: S606  no shell on purpose
    life_line.watch()
    from services.shared.bus.run import run_process

    run_process(name)
