"""`yanxiu operator`: who has the nation's rights, and the way back in for whom nobody stands above.

What names the person is asked for and is no option, so that it stands in no shell's history and no list of processes.
Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the database cannot be reached.
"""

from __future__ import annotations

import contextlib
import json
import sys
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from yanxiu.commands import operating

if TYPE_CHECKING:
    from yanxiu.local.operator import Operator

EXIT_REFUSED = 1


@click.group("operator")
def command() -> None:
    """Appoint, list and revoke national operators, or give an account a one-time password."""


@command.command()
def appoint() -> None:
    """Give a person an account and the national operator's grant; a second time changes nothing.

    They sign in by SMS code first and set a password; the administrator's desk then asks for both.
    """
    from yanxiu.journey.people import Person

    person = Person(click.prompt("True name"), click.prompt("Mobile"), click.prompt("Resident ID"))
    with _reached() as operator:
        click.echo(operator.appoint_national_operator(person))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_operators(*, as_json: bool) -> None:
    """Show who the national operators are: account, masked name and phone, since when."""
    with _reached() as operator:
        found = operator.list_operators()
    if as_json:
        click.echo(json.dumps({"operators": found}, ensure_ascii=False, indent=1))
        return
    for grant in found:
        person = grant["person"] or {"name": "", "phone": ""}
        click.echo(f"{grant['account_id']}  {person['name']}  {person['phone']}  since {grant['granted_at']}")


@command.command()
@click.argument("account_id", type=click.UUID)
@click.option("--reason", required=True, help="Why; kept in the audit trail. Name nobody.")
def revoke(account_id: uuid.UUID, reason: str) -> None:
    """End a person's grant as national operator; the rights are gone within a second.

    The last one is not revoked: appoint the successor first.
    """
    with _reached() as operator:
        ended = operator.tell("org", "revoke_operator", {"account_id": str(account_id), "reason": reason})
    click.echo(f"{ended['account_id']}  ended {ended['ended_at']}")


@command.command("reset-password")
@click.argument("account_id", type=click.UUID)
def reset_password(account_id: uuid.UUID) -> None:
    """Print a one-time password, to be changed at the next sign-in; the account's devices are signed out."""
    with _reached() as operator:
        given = operator.tell("identity", "reset_password", {"account_id": str(account_id)})
    click.echo(f"{given['one_time_password']}  until {given['expires_at']}")


@contextlib.contextmanager
def _reached() -> Iterator[Operator]:
    from services.shared.errors import ServiceError, Unavailable

    with _operator() as operator:
        try:
            yield operator
        except Unavailable:
            raise
        except (ServiceError, ValueError) as error:
            # A refused row comes as a ValueError that holds its code; neither text holds what was typed.
            code = error.code if isinstance(error, ServiceError) else str(error)
            click.secho(f"refused: {code}", fg="red", err=True)
            sys.exit(EXIT_REFUSED)


def _operator() -> contextlib.AbstractContextManager[Operator]:
    from services.shared.settings import load_settings

    return operating.reach_services(load_settings())
