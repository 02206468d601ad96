"""`yanxiu audit`: prove that nobody touched the audit trail. Reads the databases itself and asks no service.

Exit codes: 0 every chain is whole, 1 something was found, 2 wrong usage, 3 a server cannot be reached.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from services.shared.settings import SERVICES

if TYPE_CHECKING:
    from services.shared.audit_anchors import HeadBook
    from services.shared.audit_chain import Head, Report, Seals
    from services.shared.database import Database

EXIT_FOUND = 1
EXIT_UNREACHABLE = 3
SHOWN = 50  # faults in the table; --json has up to a thousand
_HEAD = re.compile(r"(?P<service>[a-z]+):(?P<position>[1-9][0-9]*):(?P<seal>[0-9a-f]{64})")


class Trail(NamedTuple):
    """What is needed to look at one service's trail."""

    database: Database
    seals: Seals
    book: HeadBook


class HeadType(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """SERVICE:POSITION:SEAL, as `yanxiu audit heads` prints it."""

    name = "head"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int, bytes]:
        found = _HEAD.fullmatch(value)
        if found is None or found["service"] not in SERVICES:
            self.fail("not of the form SERVICE:POSITION:SEAL", param, ctx)
        return found["service"], int(found["position"]), bytes.fromhex(found["seal"])


@click.group
def command() -> None:
    """Prove that nobody touched the audit trail."""


@command.command
@click.option("--service", type=click.Choice(SERVICES), help="Only this service's.")
@click.option("--head", "heads", type=HeadType(), multiple=True, help="A head kept elsewhere that the chain must hold.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with up to a thousand faults of each service.")
def verify(service: str | None, heads: tuple[tuple[str, int, bytes], ...], as_json: bool) -> None:
    """Check every row, seal and position, and every head that was written down outside the databases."""
    from rich.console import Console

    from services.shared import audit_chain

    console = Console(stderr=as_json)
    reports = []
    with _counting(console) as report, _reachable():
        for name, trail in _trails(service):
            # First the heads: what is sealed after they were read is not looked at.
            known = trail.book.heads() | {position: seal for owner, position, seal in heads if owner == name}
            reports.append(audit_chain.verify(trail.database, trail.seals, known, functools.partial(report, name)))
    if as_json:
        click.echo(json.dumps([_plain(each) for each in reports], indent=1))
    else:
        _show(console, reports)
    if any(each.fault_count for each in reports):
        sys.exit(EXIT_FOUND)


@command.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def heads(as_json: bool) -> None:
    """Seal what waits and print the end of each chain, to be kept elsewhere (`yanxiu audit verify --head …`)."""
    from services.shared import audit_chain

    found = []
    with _reachable():
        for name, trail in _trails(None):
            audit_chain.seal_waiting(trail.database, trail.seals)
            with trail.database.work() as db:
                found.append((name, audit_chain.find_head(db)))
    if as_json:
        click.echo(json.dumps([{"service": name, **_plain_head(head)} for name, head in found], indent=1))
        return
    for name, head in found:
        if head.position:
            click.echo(f"{name}:{head.position}:{head.seal.hex()}")


def _trails(service: str | None) -> Iterator[tuple[str, Trail]]:
    from services.shared.audit_anchors import HeadBook, open_anchors
    from services.shared.audit_chain import Seals
    from services.shared.database import Database
    from services.shared.keys import open_keyring
    from services.shared.settings import load_settings
    from yanxiu.local import launcher

    with launcher.database(load_settings()) as settings:
        keyring, anchors = open_keyring(settings), open_anchors(settings)
        for name in (service,) if service else SERVICES:
            seals = Seals.of(keyring, name)
            database = Database(name, settings, keyring)
            try:
                yield name, Trail(database, seals, HeadBook(anchors, name, seals))
            finally:
                database.dispose()


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    from sqlalchemy.exc import OperationalError

    from services.shared.errors import Unavailable

    try:
        yield
    except (OperationalError, Unavailable) as error:
        click.echo(f"a database or the anchors cannot be reached ({type(error).__name__})", err=True)
        sys.exit(EXIT_UNREACHABLE)


@contextlib.contextmanager
def _counting(console: Any) -> Iterator[Any]:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def report(name: str, rows: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=rows)

        yield report


def _show(console: Any, reports: list[Report]) -> None:
    from rich.table import Table

    for report in reports:
        rate = report.rows / report.seconds if report.seconds else 0.0
        console.print(
            f"{report.service}: {report.rows} rows at {rate:,.0f} a second, {report.unsealed} waiting for their seal,"
            f" {report.anchors} heads compared, {report.fault_count} faults",
            soft_wrap=True,
        )
        if not report.faults:
            continue
        table = Table("fault", "position", "row")
        for fault in report.faults[:SHOWN]:
            table.add_row(fault.kind, "" if fault.position is None else str(fault.position), fault.audit_id)
        console.print(table)
        if report.fault_count > SHOWN:
            console.print(f"… and {report.fault_count - SHOWN} more: use --json")


def _plain(report: Report) -> dict[str, Any]:
    facts = dataclasses.asdict(report)
    return {**facts, "head": _plain_head(report.head)}


def _plain_head(head: Head) -> dict[str, Any]:
    return {"position": head.position, "seal": head.seal.hex()}
