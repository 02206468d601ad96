"""`yanxiu import`: divisions, rosters and programmes, by the operators' machine.

Exit codes: 0 everything is there now, 1 rows were refused or the file is not what it should be, 2 wrong usage, 3 a
server cannot be reached. Whatever was not refused is imported in any case; importing the same file again is harmless.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from yanxiu.local.operator import Operator

EXIT_REFUSED = 1
EXIT_UNREACHABLE = 3

xlsx = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")


@click.group("import")
def command() -> None:
    """Load divisions, schools, teachers or a programme. A second import of the same thing changes nothing."""


@command.command()
@as_json_option
def divisions(as_json: bool) -> None:
    """Load the administrative divisions that come with Yanxiu, and each county's 其他."""
    with _operator() as operator:
        reply = operator.tell("org", "import_divisions")
    if as_json:
        click.echo(json.dumps(reply))
    else:
        click.echo("{divisions} divisions, {changed} new or changed, {others_created} 其他 created".format(**reply))


@command.command()
@xlsx
@as_json_option
def schools(file: Path, as_json: bool) -> None:
    """Create the schools of an .xlsx or .csv roster."""
    _import_roster(file, as_json, "import_schools")


@command.command()
@xlsx
@as_json_option
def teachers(file: Path, as_json: bool) -> None:
    """Give the teachers of an .xlsx or .csv roster accounts and places in their schools."""
    _import_roster(file, as_json, "import_teachers")


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json_option
def programme(file: Path, as_json: bool) -> None:
    """Publish a programme from its YAML file."""
    from services.shared.yaml_files import YamlError, read_yaml

    try:
        content = read_yaml(file).content
    except YamlError as error:
        _fail(str(error))
    with _operator() as operator:
        reply = operator.tell("catalog", "publish_programme", content)
    click.echo(json.dumps(reply, ensure_ascii=False) if as_json else f"{reply['code']}: {reply['programme_id']}")


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--publish", is_flag=True, help="Also make it the bank's next version, which never changes.")
@as_json_option
def questions(file: Path, publish: bool, as_json: bool) -> None:
    """Import a question bank from its YAML file, as a draft."""
    from services.shared.yaml_files import YamlError, read_yaml

    try:
        content = read_yaml(file).content
    except YamlError as error:
        _fail(str(error))
    with _operator() as operator:
        reply = operator.tell("catalog", "import_question_bank", content)
        if publish and reply["has_draft"]:
            reply = operator.tell("catalog", "publish_question_bank", {"bank_id": reply["bank_id"]})
    if as_json:
        click.echo(json.dumps(reply, ensure_ascii=False))
    else:
        state = ", a draft waits" if reply["has_draft"] else ""
        click.echo(f"{reply['code']}: {reply['bank_id']}, version {reply['version']}{state}")


@command.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--edition", default=1, show_default=True, type=click.IntRange(1, 9999), help="Each has people of its own."
)
def samples(folder: Path, edition: int) -> None:
    """Write sample rosters into a folder: invented schools, and 200 teachers with ten faulty rows."""
    from yanxiu.samples import write_samples

    for path in write_samples(folder, edition):
        click.echo(path)


def _import_roster(file: Path, as_json: bool, kind: str) -> None:
    from yanxiu.local.roster_job import run_roster

    with _operator() as operator, _progress(file.name) as progress:
        done = run_roster(operator, kind, file, progress)
    if done.code:
        _fail(_told_code(done.code, done.field))
    _report(done.counts, done.refused, as_json)
    if done.refused:
        sys.exit(EXIT_REFUSED)


@contextlib.contextmanager
def _operator() -> Iterator[Operator]:
    """The services over their databases; refusals end the command in one line."""
    from services.shared.errors import ServiceError, Unavailable
    from services.shared.settings import load_settings
    from yanxiu.local import launcher
    from yanxiu.local.operator import operator

    try:
        with launcher.database(load_settings()) as settings, operator(settings) as made:
            yield made
    except Unavailable as error:
        _fail(_told(error), EXIT_UNREACHABLE)
    except ServiceError as error:
        _fail(_told(error))


def _told(error: Any) -> str:
    return f"{_told_code(error.code, error.field)} {error.detail}".rstrip()


def _told_code(code: str, field: str) -> str:
    from gateway.messages import load_catalogue

    where = f" ({field})" if field else ""
    return f"{load_catalogue().text(code, 'en')}{where} [{code}]"


def _fail(text: str, code: int = EXIT_REFUSED) -> Any:
    click.secho(f"yanxiu import: {text}", fg="red", err=True)
    sys.exit(code)


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _report(counts: dict[str, int], refused: list[dict[str, Any]], as_json: bool) -> None:
    from gateway.messages import load_catalogue

    texts = load_catalogue()
    told = [{**row, "message": texts.text(row["code"], "en", "shared.invalid")} for row in refused]
    if as_json:
        click.echo(json.dumps({"counts": counts, "refused": told}, ensure_ascii=False))
        return
    for row in told:
        click.echo(f"row {row['row']}, {row['field']}: {row['message']} [{row['code']}]")
    click.echo(", ".join(f"{counts[outcome]} {outcome.lower()}" for outcome in ("CREATED", "UNCHANGED", "REFUSED")))
