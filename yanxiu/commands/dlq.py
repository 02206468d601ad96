"""`yanxiu bus dlq`: messages that could not be handled. Exit codes: 0 done, 1 nothing of that name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from services.shared.settings import SERVICES

if TYPE_CHECKING:
    from services.shared.bus.dead_letters import ParkedEvent
    from services.shared.bus.link import Link
    from services.shared.bus.topology import Topology
    from services.shared.database import Database

EXIT_UNKNOWN = 1


@click.group
def command() -> None:
    """List, show and replay messages that could not be handled."""


@command.command("list")
@click.option("--service", type=click.Choice(SERVICES), help="Only this service's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(service: str | None, as_json: bool) -> None:
    """Parked events of each service, and the depth of the broker's dead-letter queues."""
    from services.shared.bus import dead_letters

    events = [event for database in _databases(service) for event in dead_letters.list_parked(database)]
    with _broker() as (link, plan):
        queues = {name: depth for name, depth in dead_letters.depths(link, plan).items() if depth} if link else {}
    if as_json:
        click.echo(json.dumps({"parked": [_plain(event) for event in events], "queues": queues}, indent=1))
        return
    _print_table(events, queues)


@command.command()
@click.argument("which")
def show(which: str) -> None:
    """Show a parked event by its id, or the first messages of a dead-letter queue by its name; masked."""
    from services.shared.bus import dead_letters

    with contextlib.suppress(ValueError):
        parked_id = uuid.UUID(which)
        for database in _databases(None):
            if (found := dead_letters.show_parked(database, parked_id)) is not None:
                click.echo(json.dumps(found, indent=1, ensure_ascii=False, default=str))
                return
        _unknown(which)
    with _broker() as (link, plan):
        if link is None or which not in dead_letters.dead_queues(plan):
            _unknown(which)
        click.echo(json.dumps(dead_letters.peek(link, which), indent=1, ensure_ascii=False, default=str))


@command.command()
@click.argument("which", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All parked events and all dead-letter queues.")
@click.option("--consumer", default="", help="All parked events of one consumer, e.g. certs.on_hours_recognised.")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@click.option("--dry-run", is_flag=True, help="Only tell how many.")
def replay(which: tuple[str, ...], everything: bool, consumer: str, reason: str, dry_run: bool) -> None:
    """Try again: parked events by id, consumer or all, and dead-letter queues by name or all."""
    from services.shared.bus import dead_letters

    if not (which or everything or consumer):
        raise click.UsageError("name ids or queues, or give --consumer or --all")
    done = 0
    known: set[str] = set()
    for database in _databases(None):
        events = dead_letters.list_parked(database, consumer, limit=100_000)
        chosen = [event for event in events if everything or consumer or str(event.id) in which]
        known.update(str(event.id) for event in chosen)
        done += dead_letters.replay_parked(database, chosen, reason, dry_run=dry_run)
    with _broker() as (link, plan):
        queues = dead_letters.dead_queues(plan) if link else {}
        for dead, queue in queues.items():
            if (everything or dead in which) and link:
                known.add(dead)
                done += dead_letters.replay_dead(link, dead, queue, dry_run=dry_run)
    for name in set(which) - known:
        _unknown(name)
    click.echo(f"{done} message(s) {'would be' if dry_run else ''} replayed")


def _unknown(which: str) -> NoReturn:
    click.echo(f"no parked event or dead-letter queue named {which}", err=True)
    sys.exit(EXIT_UNKNOWN)


def _databases(service: str | None) -> Iterator[Database]:
    from services.shared.database import Database
    from services.shared.keys import open_keyring
    from services.shared.settings import load_settings
    from yanxiu.local import launcher

    with launcher.database(load_settings()) as settings:
        for name in (service,) if service else SERVICES:
            database = Database(name, settings, open_keyring(settings))
            try:
                yield database
            finally:
                database.dispose()


@contextlib.contextmanager
def _broker() -> Iterator[tuple[Link | None, Topology]]:
    """A connection to the broker; none in the embedded mode, whose bus has no dead-letter queues."""
    from services.shared.bus.link import Link
    from services.shared.settings import load_settings
    from yanxiu.local import processes

    settings = load_settings()
    plan = processes.plan(settings.study_shards)
    if settings.embedded:
        yield None, plan
        return
    link = Link(settings.amqp_uri, "yanxiu-dlq")
    try:
        yield link, plan
    finally:
        link.close()


def _plain(event: ParkedEvent) -> dict[str, Any]:
    return {
        key: str(value) if not isinstance(value, int) else value for key, value in dataclasses.asdict(event).items()
    }


def _print_table(events: list[ParkedEvent], queues: dict[str, int]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("id", "consumer", "event", "error", "attempts", "parked at", "next attempt")
    for event in events:
        table.add_row(
            str(event.id),
            event.consumer,
            event.type,
            event.error,
            str(event.attempts),
            f"{event.parked_at:%Y-%m-%d %H:%M:%S}",
            f"{event.next_attempt_at:%Y-%m-%d %H:%M:%S}",
        )
    console.print(table if events else "No event is parked.")
    for name, depth in queues.items():
        console.print(f"{name}: {depth} message(s)")
