"""The `yanxiu` command. Each subcommand is a module of `yanxiu/commands/` that is imported only when it is called.

A command module exposes `command`, a click command or group. Exit codes: 0 done, 1 the work found something wrong,
2 wrong usage or settings, 3 a server cannot be reached.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

# psycopg reads it when first imported, and its default blocks the eventlet hub (`services/shared/database.py`).
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import click

EXIT_SETTINGS = 2
EXIT_UNREACHABLE = 3


class Entry(NamedTuple):
    """Where a subcommand lives and what `--help` says of it, so that listing imports nothing."""

    module: str
    help: str


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports one when it runs."""

    def __init__(self, *args: object, entries: Mapping[str, Entry], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"yanxiu.commands.{entry.module}")
        loaded: click.Command = module.command
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


COMMANDS = {
    "up": Entry("up", "Run Yanxiu here: everything embedded, or one process per type against configured servers."),
    "demo": Entry("demo", "Run it, fill it with sample data and show one teacher's season."),
    "portal": Entry("portal", "Build the web portal."),
    "migrate": Entry("migrate", "Create or update the databases."),
    "operator": Entry("operators", "Appoint the national operator; reset a password."),
    "import": Entry("imports", "Load divisions, schools or teachers."),
    "certificates": Entry("certificates", "Check the QR code of a certificate without a network."),
    "rules": Entry("rules", "Judge evidence under a rule pack; list the packs."),
    "bus": Entry("bus", "Look after the message bus: dead letters and parked events."),
    "reconcile": Entry("reconcile", "Prove that ledger, balances and messages agree."),
    "resync": Entry("resync", "Compare what services hold of each other's facts, and repair it."),
    "audit": Entry("audit", "Prove that nobody touched the audit trail."),
    "bench": Entry("bench", "Measure this installation."),
    "keys": Entry("keys", "Make and list the secret keys."),
    "process": Entry("process", "Run one process type, as a container does."),
    "health": Entry("health", "Tell whether the process in this container is ready."),
}


@click.command(cls=LazyGroup, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="yanxiu", prog_name="yanxiu")
def root() -> None:
    """Yanxiu (研修): the system of record of teachers' professional development."""


def main() -> None:
    """Run the command line; what the user can put right is told in one line instead of a traceback."""
    from services.shared.settings import SettingsError
    from yanxiu.local.launcher import StackError
    from yanxiu.local.postgres_home import PostgresError

    try:
        root(prog_name="yanxiu")
    except (SettingsError, PostgresError) as error:
        click.secho(f"yanxiu: {error}", fg="red", err=True)
        sys.exit(EXIT_SETTINGS)
    except StackError as error:
        click.secho(f"yanxiu: {error}", fg="red", err=True)
        sys.exit(EXIT_UNREACHABLE)
