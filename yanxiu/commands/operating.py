"""How a command reaches the services over their databases, or ends with the exit code for "cannot be reached"."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.shared.settings import Settings
    from yanxiu.local.operator import Operator

EXIT_UNREACHABLE = 3


@contextlib.contextmanager
def reach_services(settings: Settings) -> Iterator[Operator]:
    """The services of this installation, as the operator asks them. Exits the process when a database is away."""
    from sqlalchemy.exc import OperationalError

    from services.shared.errors import Unavailable
    from yanxiu.local import launcher
    from yanxiu.local.operator import operator

    try:
        with launcher.database(settings) as reached, operator(reached) as found:
            yield found
    except (OperationalError, Unavailable) as error:
        click.echo(f"the database cannot be reached ({type(error).__name__})", err=True)
        sys.exit(EXIT_UNREACHABLE)
