"""Many rows in one statement: what differs travels as one JSON document, what all share as parameters.

A statement for each row would be answered one by one, which costs this process ten times as much; arrays of values cost
the driver three times as much as one text. Row security allows no COPY.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.shared.driver import touch_plain


def document(columns: str) -> str:
    """The rows of the parameter `rows` as a table `new` with these columns ("id uuid, name text"), in their order."""
    return f"jsonb_to_recordset(%(rows)s::jsonb) AS new ({columns})"


def insert_into(table: str, columns: str, same: str = "") -> str:
    """An INSERT of such a document; `same` are the columns whose value is a parameter of their name, with their types."""
    own, shared = _names(columns), _names(same)
    given = [f"%({name})s::{kind}" for name, kind in _pairs(same)]
    # Our own names and types, never input.
    return (
        f"INSERT INTO {table} ({', '.join([*own, *shared])})"  # noqa: S608
        f" SELECT {', '.join([*(f'new.{name}' for name in own), *given])} FROM {document(columns)}"
    )


def run_many(db: Session, statement: str, rows: Sequence[Mapping[str, Any]], **same: Any) -> int:
    """Run a statement that holds a `document`; returns how many rows it touched."""
    return touch_plain(db, statement, {"rows": json.dumps(rows, ensure_ascii=False), **same})


def words_of(values: Iterable[object]) -> str:
    """Ids, indexes or numbers as one parameter, for `string_to_array(%(name)s, ' ')`."""
    return " ".join(map(str, values))


def _names(columns: str) -> list[str]:
    return [name for name, _ in _pairs(columns)]


def _pairs(columns: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (column.strip().partition(" ") for column in columns.split(",")) if name]
