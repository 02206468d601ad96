"""What a service declares of each kind of job: its columns, who may run it, and what is done with a row."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from marshmallow import Schema
from sqlalchemy.orm import Session

from services.shared.bulk.columns import Column, Fault
from services.shared.bulk.rules import Outcome
from services.shared.bus.calls import Call
from services.shared.errors import ServiceError
from services.shared.policy import Policy


@dataclasses.dataclass(frozen=True)
class JobRow:
    """A row whose form is right; `number` is the one that the spreadsheet program shows."""

    number: int
    values: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a row. `told` is text for the report only, kept sealed (a code that is shown once)."""

    outcome: Outcome
    code: str = ""
    field: str = ""
    told: str = ""

    @classmethod
    def refused(cls, error: ServiceError) -> Result:
        # The name of an unknown field is the sender's text.
        field = error.field if error.field.isascii() and error.field.replace(".", "_").isidentifier() else ""
        return cls(Outcome.REFUSED, error.code, field)


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some rows of one job, about to be done as its owner: `call` carries the grants of this moment."""

    service: Any
    call: Call
    rows: Sequence[JobRow]
    parameters: Mapping[str, Any]
    key: str  # the same for the same rows of the same attempt: command ids for other services begin with it
    prepared: Any = None


class NoParameters(Schema):
    """A job that needs nothing but its rows."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of job.

    `run` does a chunk inside its transaction and tells the result of every row; an exception undoes the whole chunk,
    which is then tried in halves. `prepare` comes first, outside any transaction, for what other services must do; it
    may happen more than once. `repeats`: keys that no two rows of a file may share. `check`: what else can be told of a
    row by its form. `foresee`: what `run` would refuse at this moment, for a preview that somebody looks at; it may ask
    other services, comes outside any transaction and changes nothing. Such a row may be run again once things changed.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    policy: Policy
    run: Callable[[Session, Chunk], Mapping[int, Result]]
    prepare: Callable[[Chunk], Any] | None = None
    parameters: type[Schema] = NoParameters
    repeats: tuple[tuple[str, ...], ...] = ()
    check: Callable[[Mapping[str, str]], Fault | None] | None = None
    foresee: Callable[[Any, Call, Sequence[JobRow]], Mapping[int, Fault]] | None = None
    chunk_rows: int = 100


@dataclasses.dataclass(frozen=True)
class Scope:
    """What an export covers, and what for: a place and below it, and what its kind's `filters` made of the rest."""

    place: str
    filters: Mapping[str, Any]
    job_id: uuid.UUID
    reason: str


@dataclasses.dataclass(frozen=True)
class ExportPage:
    rows: Sequence[Sequence[str]]
    next: Any  # where the following page begins; None after the last one


@dataclasses.dataclass(frozen=True)
class Export:
    """One kind of export. `read` gives the page after `after` (None: the first), as whoever asks may see it now."""

    name: str
    title: str
    titles: tuple[str, ...]
    policy: Policy
    count: Callable[[Any, Call, Scope], int]
    read: Callable[[Any, Call, Scope, Any], ExportPage]
    filters: type[Schema] = NoParameters
    longest: int = 100_000

    def scope_of(self, job: Any) -> Scope:
        return Scope(job.place, self.filters().load(job.parameters), job.job_id, job.reason)


def each_row(
    act: Callable[[Session, Chunk, JobRow], Outcome | Result],
) -> Callable[[Session, Chunk], dict[int, Result]]:
    """`run` for an action that does one row: a refused row is undone alone and keeps its code."""

    def run(db: Session, chunk: Chunk) -> dict[int, Result]:
        return {row.number: _done(db, chunk, row) for row in chunk.rows}

    def _done(db: Session, chunk: Chunk, row: JobRow) -> Result:
        try:
            with db.begin_nested():
                done = act(db, chunk, row)
        except ServiceError as error:
            return Result.refused(error)
        return done if isinstance(done, Result) else Result(done)

    return run


def by_name(*declared: Iterable[Kind | Export]) -> dict[str, Kind | Export]:
    """A service's kinds by name. Raises ValueError for a name that is declared twice."""
    found: dict[str, Kind | Export] = {}
    for kind in (kind for kinds in declared for kind in kinds):
        if kind.name in found:
            raise ValueError(f"two kinds of job are called {kind.name}")
        found[kind.name] = kind
    return found
