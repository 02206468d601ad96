"""`yanxiu rules`: judge evidence under a rule pack, list the packs, and try a pack on past evidence.

Only `dry-run` needs the database. Exit codes: 0 done, 2 the file is at fault or cannot be read, 3 a server cannot be reached.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

EXIT_FAULTY = 2
PAGE = 500
SHOWN = 50  # changes in the table; --json has all
LONGEST_NUMBER = 30  # digits; what is longer is a fault wherever it stands
LARGEST_BYTES = 32 * 1024 * 1024


@click.group
def command() -> None:
    """Rule packs: the numbers by which study becomes hours and credits."""


@command.command
@click.argument("file")
def evaluate(file: str) -> None:
    """Judge the evidence in FILE (JSON; - for standard input) and print what it earns as JSON."""
    from services.credits.evaluation import EvaluationError, evaluate_document

    try:
        answer = evaluate_document(_read(file))
    except EvaluationError as error:
        _refuse(file, str(error))
    click.echo(json.dumps(answer, ensure_ascii=False, indent=1))


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the packs as JSON.")
def list_(as_json: bool) -> None:
    """The packs that are shipped."""
    from services.credits import pack_files

    packs = [pack_files.load_pack(pack_id) for pack_id in pack_files.list_packs()]
    if as_json:
        rows = [
            {
                "id": pack.pack_id,
                "version": pack.version,
                "status": str(pack.status),
                "valid_from": pack.valid_from.isoformat(),
                "valid_to": pack.valid_to.isoformat() if pack.valid_to else None,
                "titles": pack.titles,
            }
            for pack in packs
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for pack in packs:
        click.echo(f"{pack.pack_id:32} {pack.status:8} {pack.titles['zh']}")


@command.command(name="dry-run")
@click.argument("packfile", type=click.Path(path_type=Path))
@click.option(
    "--against", required=True, metavar="PACK_ID", help="The shipped pack whose past evidence is judged anew."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, with every change.")
def dry_run(packfile: Path, against: str, as_json: bool) -> None:
    """Say whose hours would change, and by how much, were PACKFILE in force in place of the pack PACK_ID.

    Judges all evidence that is kept; writes nothing.
    """
    from services.credits import pack_files
    from services.shared.errors import InvalidInput
    from services.shared.yaml_files import YamlError, read_yaml

    try:
        content = read_yaml(packfile).content
        pack_files.parse_pack(content, packfile.name)
        with _operator() as operator:
            outcome = _rehearse(operator, {"pack": content, "name": packfile.name, "against": against})
    except OSError as error:
        _refuse(str(packfile), error.strerror or "cannot be read")
    except (YamlError, RecursionError) as error:
        _refuse(str(packfile), str(error))
    except InvalidInput as error:
        _refuse(against if error.field == "against" else str(packfile), _in_words(error))
    if as_json:
        click.echo(json.dumps(outcome, ensure_ascii=False, indent=1))
    else:
        _show(outcome)


def _rehearse(operator: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    checked, changes, after = 0, [], None
    while True:
        page = operator.ask("credits", "rehearse_pack", {**arguments, "after": after, "limit": PAGE})
        checked += page["checked"]
        changes += page["changes"]
        after = page["after"]
        if after is None:
            return {
                "checked": checked,
                "teachers": len({change["teacher_id"] for change in changes}),
                "changes": changes,
            }


def _show(outcome: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console, changes = Console(), outcome["changes"]
    console.print(f"{outcome['checked']} checked, {outcome['teachers']} teachers would change")
    if not changes:
        return
    table = Table("teacher", "programme", "of", "before", "after", "by", "met")
    for change in changes[:SHOWN]:
        met = f"{'yes' if change['met_before'] else 'no'} -> {'yes' if change['met_after'] else 'no'}"
        row = (change[name] or "" for name in ("teacher_id", "programme_id", "measure", "before", "after", "by"))
        table.add_row(*row, met)
    console.print(table)
    if len(changes) > SHOWN:
        console.print(f"… and {len(changes) - SHOWN} more: use --json")


def _in_words(error: Any) -> str:
    from services.credits.contract import ERRORS

    return str(error.detail or ERRORS.get(error.code, ("", error.code))[1])


@contextlib.contextmanager
def _operator() -> Iterator[Any]:
    from services.shared.settings import load_settings
    from yanxiu.commands.operating import reach_services

    with reach_services(load_settings()) as operator:
        yield operator


def _read(file: str) -> Any:
    try:
        content = sys.stdin.buffer.read(LARGEST_BYTES + 1) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        _refuse(file, error.strerror or "cannot be read")
    if len(content) > LARGEST_BYTES:
        _refuse(file, f"has more than {LARGEST_BYTES} bytes")
    try:
        document = json.loads(
            # Some editors begin a file with a mark of its encoding.
            content.decode("utf-8-sig"),
            parse_constant=lambda name: _Fault(f"{name} is no number"),
            parse_int=lambda digits: int(digits) if len(digits) <= LONGEST_NUMBER else _Fault("has too many digits"),
            object_pairs_hook=_without_repetition,
        )
    except UnicodeDecodeError:
        _refuse(file, "is not UTF-8")
    except RecursionError:
        _refuse(file, "is nested too deeply")
    except ValueError as error:
        _refuse(file, f"is not JSON: {error}")
    for place, fault in _faults(document):
        _refuse(file, f"{place}: {fault.why}" if place else fault.why)
    return document


@dataclasses.dataclass(frozen=True)
class _Fault:
    """Stands in the document where its text was wrong, so that the fault can be told with its place."""

    why: str


def _faults(document: Any) -> Iterator[tuple[str, _Fault]]:
    """In the document's order. A list of open branches, not recursion: the depth is the file's choice."""
    pending: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, _Fault):
            yield ".".join(path), value
        elif isinstance(value, dict):
            pending.extend(((*path, key), child) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, str(index)), child) for index, child in reversed(list(enumerate(value))))


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        return _Fault(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    return found


def _refuse(file: str, why: str) -> Any:
    click.secho(f"yanxiu: {file}: {why}", fg="red", err=True)
    sys.exit(EXIT_FAULTY)
