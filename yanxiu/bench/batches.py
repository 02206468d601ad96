"""Work by the batch in this process over one database, held against bare inserts of the rows that it leaves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from services.shared.settings import Settings
from yanxiu.bench import figures
from yanxiu.bench.cases import Sample

Act = Callable[[Sequence[Any]], None]


class ByTheBatch:
    """Acts on what was made ready for this turn, batch by batch; returns how long each event took."""

    def __init__(self, act: Act, size: int) -> None:
        self._act, self._size = act, size
        self.ready: Sequence[Any] = ()
        self.done: list[Any] = []

    def run(self, count: int) -> list[float]:
        took = []
        for first in range(0, min(count, len(self.ready)), self._size):
            batch = self.ready[first : first + self._size]
            began = time.perf_counter()
            self._act(batch)
            took += [(time.perf_counter() - began) / len(batch)] * len(batch)
        self.done += self.ready[: len(took)]
        return took

    def close(self) -> None:
        """Its connections are the benchmark's."""


class Copy:
    """A table of the same columns and indexes, and the rows of the original in so many parts."""

    def __init__(self, owner: psycopg.Connection, name: str, copy: str, batches: int) -> None:
        self.copy = sql.Identifier(f"bench_{copy}")
        owner.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(self.copy, sql.Identifier(name)))
        columns = owner.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum",
            (name,),
        ).fetchall()
        names = sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns)
        # As text: what a caller sends, whatever it is made of.
        shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column, _ in columns)
        rows = owner.execute(sql.SQL("SELECT {} FROM {} ORDER BY ctid").format(shown, sql.Identifier(name))).fetchall()
        # UNNEST takes arrays of arrays apart to their elements: such a column travels as the text of each.
        lists = {column for column, kind in columns if kind.endswith("[]")}
        arrays = sql.SQL(", ").join(
            sql.SQL("%s::text[]" if column in lists else f"%s::{kind}[]") for column, kind in columns
        )
        taken = sql.SQL(", ").join(
            sql.SQL(f"{{}}::{kind}" if column in lists else "{}").format(sql.Identifier(column))
            for column, kind in columns
        )
        self.statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS new ({})").format(
            self.copy, names, taken, arrays, names
        )
        self.emptied = sql.SQL("TRUNCATE {}").format(self.copy)
        self.parts = [rows[turn * len(rows) // batches : (turn + 1) * len(rows) // batches] for turn in range(batches)]


@contextlib.contextmanager
def owner_of(settings: Settings, service: str) -> Iterator[psycopg.Connection]:
    """A connection whom no row security binds."""
    url = sa.make_url(settings.database_url).set(drivername="postgresql", database=settings.database_name(service))
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def goal(
    name: str, told: str, samples: dict[str, list[Sample]], ours: str, parts: Sequence[str], at_most: float | None
) -> dict[str, Any]:
    """What ours cost, as a multiple of the parts that cannot be spared, turn against turn."""
    turns = zip(*(samples[part] for part in parts), strict=True)
    floor = [sum(sample.total_us for sample in turn) for turn in turns]
    ratio = figures.paired_ratio([sample.total_us for sample in samples[ours]], floor)
    assert ratio is not None  # nothing takes no time at all
    found = {"found": round(ratio.value, 2), "low": round(ratio.low, 2), "high": round(ratio.high, 2)}
    return {"name": name, "told": told, **found, "unit": "×", "goal": at_most}
