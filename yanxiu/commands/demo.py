"""`yanxiu demo`: an installation of its own with sample data, the season's journey over HTTP, and then it keeps serving."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from services.shared.settings import Settings
    from yanxiu.journey.story import Results

OPERATOR_PASSWORD = "Operator-demo-2023"  # noqa: S105  of the demo's invented operator
EXIT_WRONG = 1


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--once", is_flag=True, help="Leave after the journey; exit code 1 when anything came out wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, the sample sign-ins with it.")
def command(host: str, port: int, once: bool, as_json: bool) -> None:
    """Show a teacher's whole way through the 2023 winter season, on a simulated clock and in full length."""
    from rich.console import Console

    from yanxiu.journey import telling
    from yanxiu.local import launcher

    console = Console(stderr=as_json)
    settings = demo_settings()
    build_portal(console)
    with launcher.running(
        settings,
        host,
        port,
        report=lambda step: console.print(f"[dim]{step}[/dim]"),
        environment=telling.environment(settings),
    ) as stack:
        with progress(console) as report:
            results = telling.tell(stack.address, stack.settings, OPERATOR_PASSWORD, report)
        if as_json:
            click.echo(as_text(results))
        else:
            show(console, results, stack.address)
        if not once:
            console.print("It keeps serving, its clock going on from March 2023; Ctrl-C ends it.")
            stack.wait()
    if results.wrong:
        sys.exit(EXIT_WRONG)


def build_portal(console: Console) -> None:
    """Build the web pages once; without them everything else runs."""
    from yanxiu.local.portal import PortalError, build

    with console.status("[dim]building the portal, once[/dim]"):
        try:
            build(lambda step: console.print(f"[dim]{step}[/dim]"))
        except PortalError as error:
            console.print(f"{error}\n[yellow]The portal is not built; everything else runs.[/yellow]", markup=True)


def demo_settings() -> Settings:
    """The environment's settings with databases and a simulated clock of the demo's own."""
    from services.shared.settings import load_settings

    base = load_settings()
    clock_file = base.data_dir / "demo-clock"
    os.environ.setdefault("YANXIU_DEVELOPMENT", "1")
    os.environ.setdefault("YANXIU_DATABASE_PREFIX", "yanxiu_demo")
    os.environ["YANXIU_CLOCK_FILE"] = str(clock_file)
    return dataclasses.replace(load_settings(), data_dir=Path(base.data_dir))


class progress:  # noqa: N801  used like a function, as rich's own
    """A bar per chapter; `report(chapter, done, total)`."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars = Progress(
            TextColumn("{task.description:>14}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
            console=console,
        )  # fmt: skip
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Any:
        self._bars.start()
        return self.report

    def report(self, chapter: str, done: int, total: int) -> None:
        if chapter not in self._tasks:
            self._tasks[chapter] = self._bars.add_task(chapter, total=total)
        self._bars.update(self._tasks[chapter], completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


def show(console: Console, results: Results, address: str) -> None:
    from rich.table import Table

    table = Table(title="2023 winter season")
    for column in ("example", "what", "expected", "found", ""):
        table.add_column(column)
    for row in results.rows:
        table.add_row(row.id, row.told, row.expected, row.found, "[green]✓[/green]" if row.right else "[red]✗[/red]")
    console.print(table)
    people = Table(title="Sample sign-ins (phone and password)")
    for column in ("who", "phone", "password"):
        people.add_column(column)
    for sign_in in results.sign_ins:
        people.add_row(*sign_in)
    console.print(people)
    for what, where in results.addresses:
        console.print(f"{what}: {where}")
    wrong = (
        f"[red]{len(results.wrong)} came out wrong[/red]" if results.wrong else "[green]all as the rules say[/green]"
    )
    console.print(f"{len(results.rows)} checks, {wrong}. Portal: {address}/ API reference: {address}/docs")


def as_text(results: Results) -> str:
    import json

    rows = [dataclasses.asdict(row) | {"right": row.right} for row in results.rows]
    told = {
        "checks": rows,
        "wrong": len(results.wrong),
        "sign_ins": [dict(zip(("who", "phone", "password"), one, strict=True)) for one in results.sign_ins],
        "addresses": dict(results.addresses),
    }
    return json.dumps(told, ensure_ascii=False, indent=1)
