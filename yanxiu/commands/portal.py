"""`yanxiu portal`: build the web portal."""

from __future__ import annotations

import sys

import click

EXIT_WRONG = 1


@click.command
@click.option("--again", is_flag=True, help="Build even though nothing has changed.")
@click.option(
    "--check", is_flag=True, help="Look for mistakes too: lint and unit tests (the build itself checks types)."
)
def command(again: bool, check: bool) -> None:
    """Build the web portal, when its sources or the API have changed since the last time.

    Takes Node and npm from this machine, or installs a Node from its wheel; npm needs a package registry the first time.
    """
    from yanxiu.local import portal

    def report(step: str) -> None:
        click.echo(step, err=True)

    try:
        built = portal.build(report, again=again)
        if check:
            portal.check(report)
    except portal.PortalError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_WRONG)
    click.echo("the portal is built; a running gateway serves it after a restart" if built else "nothing has changed")
