"""Columns of rosters: from a row of cells to values by key, and what is wrong with a row. Pure; contracts use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from services.shared.errors import InvalidInput
from services.shared.spreadsheet_reader import LOST_DIGITS

# What a report adds to the columns of its kind. A corrected report may be uploaded again: then they are passed over.
OUTCOME_TITLE: Final = "处理结果"
CODE_TITLE: Final = "代码"
REASON_TITLE: Final = "原因"
RESULT_TITLE: Final = "返回内容"
REPORT_TITLES: Final = (OUTCOME_TITLE, CODE_TITLE, REASON_TITLE, RESULT_TITLE)


@dataclasses.dataclass(frozen=True)
class Column:
    """`key` is the value's name; `words` maps what the template writes, and the value itself is taken too."""

    key: str
    title: str
    required: bool = True
    longest: int = 200
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def value_of(self, text: str) -> str | None:
        """The value for a cell's text, None when it is none of the words."""
        if not self.words:
            return text
        return self.words.get(text) or (text if text in self.words.values() else None)


@dataclasses.dataclass(frozen=True)
class Fault:
    """Why a row cannot be taken: a code, and the key of the column at fault."""

    code: str
    field: str = ""


def read_header(titles: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The key of each position, "" where a cell is to be passed over.

    Raises InvalidInput("shared.wrong_columns") naming the first column that is unknown, there twice, or missing.
    """
    titles = list(titles)
    while titles and not titles[-1]:
        titles.pop()
    known = {column.title: column.key for column in columns} | dict.fromkeys(REPORT_TITLES, "")
    for title in titles:
        if title not in known or titles.count(title) > 1:
            raise InvalidInput("shared.wrong_columns", f"file.{title[:30]}")
    for column in columns:
        if column.required and column.title not in titles:
            raise InvalidInput("shared.wrong_columns", f"file.{column.title}")
    return [known[title] for title in titles]


def read_cells(cells: Sequence[str], header: Sequence[str], columns: Sequence[Column]) -> dict[str, str] | Fault:
    """The row's values by key, without the empty ones; or the first fault."""
    texts = {key: text for key, text in zip(header, cells, strict=False) if key}
    values = {}
    for column in columns:
        text = texts.get(column.key, "")
        value = column.value_of(text)
        if code := _fault_in(column, text, value):
            return Fault(code, column.key)
        if value:
            values[column.key] = value
    return values


def _fault_in(column: Column, text: str, value: str | None) -> str:
    """The code of what is wrong with a cell, or ""."""
    if text == LOST_DIGITS:
        return "shared.digits_lost"
    if not text:
        return "shared.value_missing" if column.required else ""
    if len(text) > column.longest:
        return "shared.value_malformed"
    return "" if value else "shared.value_unknown"


class Repetitions:
    """Notices rows that name again what an earlier row of the same file named; the earlier one goes on."""

    def __init__(self, keys: Sequence[tuple[str, ...]]) -> None:
        self._keys = keys
        self._seen: list[set[tuple[str, ...]]] = [set() for _ in keys]

    def find(self, values: Mapping[str, str]) -> Fault | None:
        """The fault of a row that repeats an earlier one, told for the first of the keys; else it is remembered."""
        named = [tuple(values.get(key, "").upper() for key in keys) for keys in self._keys]
        for keys, value, seen in zip(self._keys, named, self._seen, strict=True):
            if value[-1] and value in seen:
                return Fault("shared.duplicate_row", keys[-1])
        for value, seen in zip(named, self._seen, strict=True):
            if value[-1]:
                seen.add(value)
        return None
