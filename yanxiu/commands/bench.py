"""`yanxiu bench`: what this machine gives and what Yanxiu makes of it. Goals are told, and never fail the command.

Exit codes: 0 measured, 1 an operation came out wrong, 2 wrong usage or settings, 3 a server cannot be reached.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

EXIT_WRONG = 1
ROUNDS, OPERATIONS, STARTS = 6, 400, 3
QUICK_ROUNDS, QUICK_OPERATIONS, QUICK_STARTS = 3, 100, 1
CONCURRENCY = 4
WIDTH = 120

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
rounds_option = click.option("--rounds", type=click.IntRange(1, 1000), help="How often everything is measured in turn.")
quick_option = click.option("--quick", is_flag=True, help="Fewer and shorter rounds, for a first look.")
operations_option = click.option(
    "--operations", type=click.IntRange(1, 100_000), help="Operations of one kind in one round."
)
concurrency_option = click.option(
    "--concurrency", default=CONCURRENCY, show_default=True, type=click.IntRange(1, 16), help="Callers at once."
)
embedded_option = click.option("--embedded", is_flag=True, help="The embedded mode, also where servers are configured.")
own_vhost_option = click.option(
    "--own-vhost", is_flag=True, help="AMQP_URI names a virtual host for benchmarks only; otherwise one is made."
)


def measuring(function: Callable[..., None]) -> Callable[..., None]:
    """The options that the commands with rounds of operations share."""
    options = (as_json_option, rounds_option, quick_option, operations_option, concurrency_option)
    for option in (own_vhost_option, embedded_option, *reversed(options)):
        function = option(function)
    return function


@click.group
def command() -> None:
    """Measure this installation, in databases and folders of the benchmark's own."""


@command.command
@measuring
def floors(as_json: bool, rounds: int | None, quick: bool, operations: int | None, **where: Any) -> None:
    """What the building blocks cost here: bare Flask, raw AMQP, our bus, stock nameko, one PostgreSQL upsert."""
    from yanxiu.bench.runs import measure_floors

    _measure("floors", measure_floors, as_json, _size(rounds, operations, quick), where)


@command.command
@measuring
def api(as_json: bool, rounds: int | None, quick: bool, operations: int | None, **where: Any) -> None:
    """What requests through a whole stack cost, against bare Flask and a raw AMQP round trip of the same run."""
    from yanxiu.bench.runs import measure_api

    _measure("api", measure_api, as_json, _size(rounds, operations, quick), where)


@command.command
@as_json_option
@rounds_option
@quick_option
def start(as_json: bool, rounds: int | None, quick: bool) -> None:
    """How long `yanxiu up` takes to its first readiness, and how much memory the embedded stack holds."""
    from yanxiu.bench.showing import show_goals, show_machine
    from yanxiu.bench.start import measure_start

    console = _console(as_json)
    with _telling_mistakes():
        document = measure_start(
            rounds or (QUICK_STARTS if quick else STARTS), lambda step: console.print(f"[dim]{step}[/dim]")
        )
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    show_goals(console, "embedded stack", document["goals"])
    show_machine(console, document["machine"])


def _size(rounds: int | None, operations: int | None, quick: bool) -> dict[str, int]:
    return {
        "rounds": rounds or (QUICK_ROUNDS if quick else ROUNDS),
        "operations": operations or (QUICK_OPERATIONS if quick else OPERATIONS),
    }


def _measure(kind: str, run: Callable[..., Any], as_json: bool, size: dict[str, int], where: dict[str, Any]) -> None:
    from yanxiu.bench import results, showing

    console = _console(as_json)
    with _telling_mistakes(), _progress(console) as report:
        outcome = run(report=report, **size, **where)
    document = results.document(
        kind, outcome.mode, outcome.findings, concurrency=where["concurrency"], **size, remarks=outcome.remarks
    )
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    showing.show_findings(console, f"{kind}, {outcome.mode} mode", outcome.findings, outcome.against)
    for remark in outcome.remarks:
        console.print(f"[dim]{remark}[/dim]")
    showing.show_machine(console, document["machine"])


def _console(as_json: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=as_json)
    # A pipe or a file has no width of its own, and rich's 80 columns would cut the figures off.
    return console if console.is_terminal else Console(stderr=as_json, width=WIDTH)


@contextlib.contextmanager
def _telling_mistakes() -> Iterator[None]:
    from yanxiu.bench.cases import BenchError

    try:
        yield
    except BenchError as error:
        click.secho(f"yanxiu bench: {error}", fg="red", err=True)
        sys.exit(EXIT_WRONG)


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task("preparing", total=None)
        yield lambda done, total: bars.update(task, description="measuring", completed=done, total=total)
