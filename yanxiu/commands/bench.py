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
EVENTS, QUICK_EVENTS = 10_000, 2_000
CONCURRENCY = 4
TEACHERS = 1_000_000
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
@measuring
def study(as_json: bool, rounds: int | None, quick: bool, operations: int | None, **where: Any) -> None:
    """What a study report costs at the edge, against bare Flask, and a batch of them against a bare UNNEST."""
    from yanxiu.bench.runs import measure_study

    _measure("study", measure_study, as_json, _size(rounds, operations, quick), where)


@command.command("sign-ins")
@measuring
def sign_ins(as_json: bool, rounds: int | None, quick: bool, operations: int | None, **where: Any) -> None:
    """How near signing in by password comes to the limit that its argon2id sets."""
    from yanxiu.bench.runs import measure_sign_ins

    _measure("sign-ins", measure_sign_ins, as_json, _size(rounds, operations, quick), where)


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


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@click.option("--teachers", default=2000, show_default=True, type=click.IntRange(8), help="Who press the button.")
def selection(as_json: bool, rounds: int | None, quick: bool, embedded: bool, teachers: int) -> None:
    """What the opening of a selection window costs the database, against bare rows; cancelling and lists, against choosing."""
    from yanxiu.bench.selection import measure_selection
    from yanxiu.bench.showing import show_goals, show_machine

    console = _console(as_json)
    with _telling_mistakes():
        document = measure_selection(
            teachers,
            _size(rounds, None, quick)["rounds"],
            embedded=embedded,
            report=lambda step: console.print(f"[dim]{step}[/dim]"),
        )
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    show_goals(console, "selection", document["goals"])
    for name, took in document["database_microseconds"].items():
        console.print(f"{name}: {took} µs of database CPU")
    show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@operations_option
@click.option("--schools", default=470_000, show_default=True, type=click.IntRange(1000), help="Of the country.")
def activation(
    as_json: bool, rounds: int | None, quick: bool, embedded: bool, operations: int | None, schools: int
) -> None:
    """What reading activation progress costs at all the country's schools, against few, and against counting."""
    from yanxiu.bench.activation import measure_activation
    from yanxiu.bench.showing import show_goals, show_machine

    console = _console(as_json)
    with _telling_mistakes():
        document = measure_activation(
            schools,
            **_size(rounds, operations, quick),
            embedded=embedded,
            report=lambda step: console.print(f"[dim]{step}[/dim]"),
        )
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    show_goals(console, "activation progress", document["goals"])
    for name, took in document["milliseconds"].items():
        console.print(f"{name}: {took} ms")
    show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@operations_option
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(5000), help="Of the country.")
def people(as_json: bool, rounds: int | None, quick: bool, embedded: bool, operations: int | None, people: int) -> None:
    """What an administrator's search by name costs among a million, against bare SELECTs of the same people."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.people import measure_people

    console, size = _console(as_json), _size(rounds, operations, quick)
    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_people(people=people, embedded=embedded, report=report, **size)
    document = results.document("people", outcome.mode, outcome.findings, people=people, **size)
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    title = f"{people:,} people, {outcome.mode} mode"
    showing.show_findings(console, title, outcome.findings, ())
    showing.show_goals(console, title, outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@operations_option
@quick_option
@embedded_option
@click.option(
    "--teachers", default=TEACHERS, show_default=True, type=click.IntRange(1000, 20_000_000), help="In the province."
)
def rosters(
    as_json: bool, rounds: int | None, operations: int | None, quick: bool, embedded: bool, teachers: int
) -> None:
    """Lists of a province's teachers: the last page against the first, and both against a bare SELECT."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.rosters import measure_rosters

    console, size = _console(as_json), _size(rounds, operations, quick)
    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_rosters(teachers=teachers, embedded=embedded, report=report, **size)
    document = results.document("rosters", outcome.mode, outcome.findings, teachers=outcome.teachers, **size)
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    title = f"{outcome.teachers:,} teachers, {outcome.mode} mode"
    showing.show_findings(console, title, outcome.findings, ())
    showing.show_goals(console, title, outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@embedded_option
@click.option("--teachers", default=500, show_default=True, type=click.IntRange(100, 100_000), help="In each file.")
@click.option("--files", default=2, show_default=True, type=click.IntRange(1), help="In each round.")
def imports(as_json: bool, rounds: int | None, embedded: bool, teachers: int, files: int) -> None:
    """A roster through a whole job, against COPY of the roster and of everything that the import writes."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.imports import measure_imports

    console, size = _console(as_json), {"rounds": rounds or ROUNDS, "operations": files}
    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_imports(teachers=teachers, embedded=embedded, report=report, **size)
    document = results.document("imports", outcome.mode, outcome.findings, teachers=outcome.teachers, **size)
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    title = f"files of {outcome.teachers:,} teachers, {outcome.mode} mode"
    showing.show_findings(console, title, outcome.findings, ("copy_roster", "copy_left"))
    showing.show_goals(console, title, outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@embedded_option
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(100, 100_000), help="In each file.")
@click.option("--files", default=1, show_default=True, type=click.IntRange(1), help="In each round.")
def exports(as_json: bool, rounds: int | None, embedded: bool, rows: int, files: int) -> None:
    """A file of frozen years through a whole job, against COPY of its rows and openpyxl writing its cells; its memory."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.exports import AGAINST, measure_exports

    console, size = _console(as_json), {"rounds": rounds or QUICK_ROUNDS, "operations": files}

    def told(step: str) -> None:
        console.print(f"[dim]{step}[/dim]")

    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_exports(rows=rows, embedded=embedded, report=report, told=told, **size)
    document = results.document("exports", outcome.mode, outcome.findings, rows=outcome.rows, **size)
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    title = f"files of {outcome.rows:,} rows, {outcome.mode} mode"
    showing.show_findings(console, title, outcome.findings, AGAINST)
    showing.show_goals(console, title, outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@operations_option
def evaluation(as_json: bool, rounds: int | None, quick: bool, operations: int | None) -> None:
    """How long the rule engine takes for one teacher's evidence of a large season: five courses of sixty videos."""
    from yanxiu.bench.evaluation import measure_evaluation

    size = _size(rounds, operations, quick)
    _tell_goals("evaluation", as_json, lambda report: measure_evaluation(**size, report=report))


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@click.option("--events", type=click.IntRange(10, 1_000_000), help="Course events in each round.")
def recognition(as_json: bool, rounds: int | None, quick: bool, embedded: bool, events: int | None) -> None:
    """Course events recognised, against receiving them, evaluating the pack and a bare insert of what is left."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.recognition import PARTS, measure_recognition

    console = _console(as_json)
    size = _size(rounds, events or (QUICK_EVENTS if quick else EVENTS), quick)
    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_recognition(embedded=embedded, report=report, **size)
    document = {**results.document("recognition", outcome.mode, outcome.findings, **size), "goals": outcome.goals}
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    showing.show_findings(
        console, f"{size['operations']:,} course events, {outcome.mode} mode", outcome.findings, PARTS
    )
    showing.show_goals(console, "recognition", outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@click.option("--batches", default=20, show_default=True, type=click.IntRange(1, 1000), help="In each round.")
@click.option(
    "--rows", default=1_000_000, show_default=True, type=click.IntRange(10_000, 100_000_000), help="Of each table."
)
def recording(as_json: bool, rounds: int | None, quick: bool, embedded: bool, batches: int, rows: int) -> None:
    """A batch of study reports over many rows of study, against few; ten million of each table take 10 GB of disk."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.recording import FEW, measure_recording

    console = _console(as_json)
    size = {"rounds": rounds or (QUICK_ROUNDS if quick else ROUNDS), "operations": batches}

    def told(step: str) -> None:
        console.print(f"[dim]{step}[/dim]")

    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_recording(rows=rows, embedded=embedded, report=report, told=told, **size)
    document = {**results.document("recording", outcome.mode, outcome.findings, rows=rows, **size)}
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    showing.show_findings(console, f"{rows:,} rows, {outcome.mode} mode", outcome.findings, (FEW,))
    showing.show_goals(console, "recording", outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@click.option("--teachers", default=200, show_default=True, type=click.IntRange(10, 10_000), help="Who study at once.")
def telling(as_json: bool, rounds: int | None, quick: bool, embedded: bool, teachers: int) -> None:
    """What recognising a minute of study costs, told with each report and told at most every five minutes."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.telling import EACH, measure_telling

    console = _console(as_json)
    size = {"rounds": rounds or (QUICK_ROUNDS if quick else ROUNDS), "teachers": teachers}
    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_telling(embedded=embedded, report=report, **size)
    document = {**results.document("telling", outcome.mode, outcome.findings, **size), "goals": outcome.goals}
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    showing.show_findings(console, f"{teachers:,} teachers, {outcome.mode} mode", outcome.findings, (EACH,))
    showing.show_goals(console, "telling", outcome.goals)
    showing.show_machine(console, document["machine"])


@command.command
@as_json_option
@rounds_option
@quick_option
@embedded_option
@operations_option
@click.option(
    "--entries", default=1_000_000, show_default=True, type=click.IntRange(20_000, 100_000_000), help="In the ledger."
)
def ledger(
    as_json: bool, rounds: int | None, quick: bool, embedded: bool, operations: int | None, entries: int
) -> None:
    """A county's statistics and a teacher's matrix page over many entries, against few; ten million take 8 GB of disk."""
    from yanxiu.bench import results, showing
    from yanxiu.bench.ledger import AGAINST, measure_ledger

    console, size = _console(as_json), _size(rounds, operations, quick)

    def told(step: str) -> None:
        console.print(f"[dim]{step}[/dim]")

    with _telling_mistakes(), _progress(console) as report:
        outcome = measure_ledger(entries=entries, embedded=embedded, report=report, told=told, **size)
    document = results.document("ledger", outcome.mode, outcome.findings, entries=entries, **size)
    if as_json:
        click.echo(json.dumps({**document, "goals": outcome.goals}, ensure_ascii=False, indent=1))
        return
    title = f"{entries:,} entries, {outcome.mode} mode"
    showing.show_findings(console, title, outcome.findings, AGAINST)
    showing.show_goals(console, title, outcome.goals)
    showing.show_machine(console, document["machine"])


def _tell_goals(title: str, as_json: bool, run: Callable[[Callable[[str], None]], dict[str, Any]]) -> None:
    from yanxiu.bench.showing import show_goals, show_machine

    console = _console(as_json)
    with _telling_mistakes():
        document = run(lambda step: console.print(f"[dim]{step}[/dim]"))
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    show_goals(console, title, document["goals"])
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
    if outcome.goals:
        document["goals"] = outcome.goals
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    showing.show_findings(console, f"{kind}, {outcome.mode} mode", outcome.findings, outcome.against)
    if outcome.goals:
        showing.show_goals(console, kind, outcome.goals)
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
