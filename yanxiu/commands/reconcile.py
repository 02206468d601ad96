"""`yanxiu reconcile`: recompute what follows from evidence, and compare with what is written. Changes nothing.

Exit codes: 0 everything agrees, 1 something differs, 2 wrong usage, 3 a server cannot be reached.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from services.shared.settings import SERVICES
from yanxiu.commands.operating import reach_services

if TYPE_CHECKING:
    from yanxiu.local.operator import Operator

EXIT_DIFFERENT = 1
PAGE = 500
SHOWN = 50  # differences in the table; --json has all

# What a service must answer to be asked: {"checked": n, "differences": [...], "after": where to go on, or None}.
PROOF = "reconcile_"

Report = Callable[[str, int], None]


@click.command
@click.argument("service", required=False, type=click.Choice(SERVICES))
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, with every difference.")
def command(service: str | None, as_json: bool) -> None:
    """Rebuild what follows from evidence, for all or one SERVICE, and compare.

    learning: watched time from the reports; credits: ledger and standings from the evidence.
    """
    from rich.console import Console

    console = Console(stderr=as_json)
    with _operator() as operator, _counting(console) as report:
        proofs = [prove(operator, owner, method, report) for owner, method in offered() if service in (None, owner)]
    if as_json:
        click.echo(json.dumps({"proofs": proofs}, ensure_ascii=False, indent=1))
    else:
        _show(console, proofs)
    if any(proof["differences"] for proof in proofs):
        sys.exit(EXIT_DIFFERENT)


def offered() -> list[tuple[str, str]]:
    """(service, method) of every proof that the services offer to the command line."""
    from yanxiu.local import processes

    return [
        (service, method)
        for service in SERVICES
        for method, policy in sorted(processes.load_class(service).policies.items())
        if method.startswith(PROOF) and "cli" in policy.services
    ]


def prove(operator: Operator, service: str, method: str, report: Report) -> dict[str, Any]:
    """Run one proof to its last page."""
    checked, differences, after = 0, [], None
    while True:
        page = operator.ask(service, method, {"after": after, "limit": PAGE})
        checked += page["checked"]
        differences += page["differences"]
        report(f"{service}.{method}", checked)
        after = page["after"]
        if after is None:
            return {"service": service, "method": method, "checked": checked, "differences": differences}


@contextlib.contextmanager
def _operator() -> Iterator[Operator]:
    from services.shared.settings import load_settings

    with reach_services(load_settings()) as operator:
        yield operator


@contextlib.contextmanager
def _counting(console: Any) -> Iterator[Report]:
    """A line for each proof that counts up; nobody knows the end before it is there."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def report(name: str, checked: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=checked)

        yield report


def _show(console: Any, proofs: list[dict[str, Any]]) -> None:
    from rich.table import Table

    for proof in proofs:
        differences = proof["differences"]
        console.print(f"{proof['service']}: {proof['checked']} checked, {len(differences)} different")
        if not differences:
            continue
        table = Table(*differences[0])
        for difference in differences[:SHOWN]:
            table.add_row(*(str(value) for value in difference.values()))
        console.print(table)
        if len(differences) > SHOWN:
            console.print(f"… and {len(differences) - SHOWN} more: use --json")
