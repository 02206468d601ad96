"""`yanxiu keys`: the files that hold the secrets; never their content."""

from __future__ import annotations

import click


@click.group
def command() -> None:
    """Make and list the secret keys."""


@command.command
def generate() -> None:
    """Make every key that is not there yet; existing ones are never replaced."""
    from services.shared.keys import KeyRing
    from services.shared.settings import load_settings

    settings = load_settings()
    made = KeyRing(settings.keys_dir, generate=True).generate_missing()
    for purpose in made:
        click.echo(purpose)
    click.echo(f"{len(made)} made in {settings.keys_dir}", err=True)


@command.command("list")
def list_keys() -> None:
    """Each key's purpose and its id."""
    from services.shared.keys import SIGNING, SYMMETRIC, KeyRing
    from services.shared.settings import SettingsError, load_settings

    keyring = KeyRing(load_settings().keys_dir)
    for purpose in (*SYMMETRIC, *SIGNING):
        try:
            click.echo(f"{purpose}\t{keyring.key_id(purpose)}")
        except SettingsError:
            click.echo(f"{purpose}\tmissing")
