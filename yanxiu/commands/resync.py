"""`yanxiu resync`: compare what services hold of each other's facts with the owners, and repair it.

It works straight on the databases, beside running services or with none. An empty database of a consumer is filled by it.

Exit codes: 0 everything agrees, 1 something still differs, 2 wrong usage, 3 a server cannot be reached.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from yanxiu.commands.operating import reach_services

if TYPE_CHECKING:
    from services.shared.bus.resync import Outcome
    from yanxiu.local.operator import Operator

EXIT_DIFFERENT = 1
# In the order of who builds on whom: certs is filled from what credits has recognised.
CONSUMERS = ("org", "identity", "learning", "catalog", "billing", "credits-recognition", "certs")
NAMES = tuple(name.split("-", 1)[0] for name in CONSUMERS)

Report = Callable[[str, int, int], None]


@click.command
@click.argument("consumers", nargs=-1, metavar="[CONSUMER]...", type=click.Choice(NAMES))
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only what this event type tells; repeatable.")
@click.option("--check", is_flag=True, help="Only compare; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(consumers: tuple[str, ...], types: tuple[str, ...], check: bool, as_json: bool) -> None:
    """Compare the projections of the services with their owners, and fill in what is missing or old.

    CONSUMER is org, identity, learning, billing, credits or certs; without one, all of them. Beside running services, what is still on
    its way counts as missing: look again. A holder that is AHEAD of its owner is never changed: one of the two databases
    was restored to an earlier time.
    """
    from rich.console import Console

    _require_known(types)
    console = Console(stderr=as_json)
    with _operator() as operator, _counting(console) as report:
        rows = list(resync_all(operator, consumers or NAMES, types, repair=not check, report=report))
    if as_json:
        click.echo(json.dumps({"projections": rows}, indent=1))
    else:
        _show(console, rows)
    if any(row["differs"] for row in rows):
        sys.exit(EXIT_DIFFERENT)


def resync_all(
    operator: Operator, consumers: tuple[str, ...], types: tuple[str, ...], *, repair: bool, report: Report
) -> Iterator[dict[str, Any]]:
    """One row for each projection of these consumers, as it is done."""
    from services.shared.bus import resync

    for process in CONSUMERS:
        if (consumer := process.split("-", 1)[0]) not in consumers:
            continue
        service = operator.open(process)
        for projection in service.projections:
            if types and projection.type not in types:
                continue

            shown = f"{consumer}: {projection.type}, {projection.table}"

            def progress(done: int, total: int, name: str = shown) -> None:
                report(name, done, total)

            outcome = resync.resync(service, projection, operator.ask, repair=repair, progress=progress)
            yield _row(consumer, projection.table, outcome)


def _row(consumer: str, table: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "type": outcome.type,
        "table": table,
        "owner_count": outcome.owner.count,
        "held_count": outcome.held.count,
        "repaired": outcome.repaired,
        "missing": outcome.missing,
        "ahead": outcome.ahead,
        "same_digest": dataclasses.astuple(outcome.owner) == dataclasses.astuple(outcome.held),
        "differs": outcome.differs,
    }


def _require_known(types: tuple[str, ...]) -> None:
    from yanxiu.local import processes

    known = {projection.type for name in CONSUMERS for projection in processes.load_class(name).projections}
    if unknown := set(types) - known:
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}: known are {', '.join(sorted(known))}", param_hint="--type"
        )


@contextlib.contextmanager
def _operator() -> Iterator[Operator]:
    from services.shared.settings import load_settings
    from services.shared.startup import configure_process

    settings = dataclasses.replace(load_settings(), log_level="WARNING")
    configure_process(settings, "resync")
    with reach_services(settings) as operator:
        yield operator


@contextlib.contextmanager
def _counting(console: Any) -> Iterator[Report]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield report


def _show(console: Any, rows: list[dict[str, Any]]) -> None:
    from rich.table import Column, Table

    numbers = ("owner_count", "held_count", "repaired", "missing", "ahead")
    columns = ("consumer", Column("type", overflow="fold"), Column("held in", overflow="fold"))
    table = Table(*columns, *(name.removesuffix("_count") for name in numbers), Column("", no_wrap=True))
    for row in rows:
        state = "[red]differs[/red]" if row["differs"] else "[green]agrees[/green]"
        table.add_row(row["consumer"], row["type"], row["table"], *(str(row[name]) for name in numbers), state)
    console.print(table)
    if any(row["ahead"] for row in rows):
        console.print("Ahead: the holder knows what its owner does not. See services/shared/README.md.")
