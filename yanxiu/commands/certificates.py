"""`yanxiu certificates`: check the QR code of a certificate without a network, with the published keys.

Exit codes: 0 genuine, 1 not genuine, 2 the key file is at fault.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import click

EXIT_NOT_GENUINE = 1
EXIT_FAULTY = 2
NOT_KNOWN = (
    "An offline check cannot know whether the certificate was replaced or revoked since: ask its address for that."
)


@click.group
def command() -> None:
    """Certificates that somebody holds out to you."""


@command.command
@click.argument("scanned")
@click.option(
    "--keys",
    "keys_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The published keys: what GET /api/v1/certificate-keys answers, saved to a file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def check(scanned: str, keys_file: Path, as_json: bool) -> None:
    """Check SCANNED, the text of a certificate's QR code (- for standard input)."""
    from services.certs.offline import SealError, check_seal
    from services.certs.signing import Verifier

    text = sys.stdin.read() if scanned == "-" else scanned
    try:
        verifier = Verifier.of_published(_read_keys(keys_file))
    except (OSError, ValueError) as error:
        click.echo(f"{keys_file.name}: {error}", err=True)
        sys.exit(EXIT_FAULTY)
    try:
        seal = check_seal(text, verifier)
    except SealError as error:
        click.echo(f"not genuine: {error}", err=True)
        sys.exit(EXIT_NOT_GENUINE)
    facts = dataclasses.asdict(seal)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        click.echo(f"{name:15} {value}")
    click.echo(NOT_KNOWN)


def _read_keys(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
