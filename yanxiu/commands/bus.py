"""`yanxiu bus`: looking after the message bus."""

from __future__ import annotations

import click

from yanxiu.cli import Entry, LazyGroup

COMMANDS = {"dlq": Entry("dlq", "List, show and replay messages that could not be handled.")}


@click.command(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Look after the message bus: dead letters and parked events."""
