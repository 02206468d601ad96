"""`yanxiu up`: run everything here until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.shared.settings import Settings


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def command(host: str, port: int) -> None:
    """Run Yanxiu here.

    Without DATABASE_URL and AMQP_URI everything runs embedded: PostgreSQL from a wheel, an in-memory bus, one process.
    With both set, one process per type runs against those servers, the gateway under gunicorn.
    """
    from rich.console import Console

    from services.shared.settings import load_settings
    from yanxiu.local import launcher

    console = Console()
    with launcher.running(
        load_settings(), host, port, report=lambda step: console.print(f"[dim]{step}[/dim]")
    ) as stack:
        console.print(f"[dim]logs: {stack.log}[/dim]", soft_wrap=True)
        if stack.settings.embedded:
            console.print(f"[dim]{prepare(stack.settings)}[/dim]")
        console.print(
            f"Yanxiu serves at [bold]{stack.address}[/bold] (portal: {stack.address}/portal/, API reference: {stack.address}/docs). Ctrl-C ends it.",
            soft_wrap=True,
        )
        stack.wait()
        console.print("[dim]stopping[/dim]")


def prepare(settings: Settings) -> str:
    """Make a fresh embedded installation usable: divisions, and a national operator who signs in by SMS code."""
    from yanxiu.local.operator import SAMPLE_OPERATOR, operator

    with operator(settings) as cli:
        cli.load_divisions()
        cli.appoint_national_operator(SAMPLE_OPERATOR)
    return (
        f"divisions are loaded; the national operator signs in with phone {SAMPLE_OPERATOR.phone} and an SMS code,"
        " sets a password, and opens the administrator's desk with both"
    )
