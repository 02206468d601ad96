"""Reads the division table and proves that it is whole; no I/O beyond the text given."""

from __future__ import annotations

import dataclasses
import hashlib
import re

from services.org.contract import NATION, Level
from services.shared.errors import InvalidInput

_CODE = re.compile(r"[1-9][0-9]{5}")
_LEVELS = (Level.PROVINCE, Level.CITY, Level.COUNTY)


@dataclasses.dataclass(frozen=True)
class DivisionRow:
    """`leaf`: nothing stands under it, so schools stand there: counties, and the few cities without counties."""

    code: str
    level: Level
    parent: str  # code of the parent, or CN
    place: str
    name: str
    leaf: bool

    @property
    def stands_outside(self) -> bool:
        """Hong Kong, Macao and Taiwan are outside the scheme: nobody waits there, nobody administers."""
        return self.leaf and self.level is Level.PROVINCE

    @property
    def has_other(self) -> bool:
        """Whether teachers without a school wait here in 其他."""
        return self.leaf and not self.stands_outside


def parse_table(text: str) -> list[DivisionRow]:
    """The rows of a division table, parents first.

    Raises InvalidInput("org.divisions_damaged") when the header's digest or counts differ from the rows, a code repeats,
    or a parent is missing or not above its child.
    """
    header, body = _split(text)
    if hashlib.sha256(body.encode()).hexdigest() != header.get("rows-sha256"):
        raise _damaged("digest")
    cells = [_cells(line) for line in body.splitlines()]
    parents = {parent for _, _, parent, _ in cells}
    rows: dict[str, DivisionRow] = {}
    for code, level, parent, name in cells:
        rows[code] = _row(rows, code, level, parent, name, leaf=code not in parents)
    counted = " ".join(f"{level}={sum(row.level is level for row in rows.values())}" for level in _LEVELS)
    if counted != header.get("counts") or len(rows) != len(cells):
        raise _damaged("counts")
    return list(rows.values())


def _split(text: str) -> tuple[dict[str, str], str]:
    lines = text.splitlines(keepends=True)
    heading = [line[2:].strip() for line in lines if line.startswith("# ")]
    header = dict(line.split(": ", 1) for line in heading if ": " in line)
    return header, "".join(line for line in lines if not line.startswith("# "))


def _cells(line: str) -> tuple[str, str, str, str]:
    try:
        code, level, parent, name = line.split("\t")
    except ValueError:
        raise _damaged("columns") from None
    return code, level, parent, name


def _row(rows: dict[str, DivisionRow], code: str, level: str, parent: str, name: str, *, leaf: bool) -> DivisionRow:
    if not _CODE.fullmatch(code) or level not in _LEVELS or not name or code in rows:
        raise _damaged(f"row {code}")
    above = rows.get(parent)
    if above is None and parent != NATION:
        raise _damaged(f"parent of {code}")
    if above is not None and _LEVELS.index(above.level) >= _LEVELS.index(Level(level)):
        raise _damaged(f"level of {code}")
    place = f"{above.place if above else NATION}/{code}"
    return DivisionRow(code, Level(level), parent, place, name, leaf)


def _damaged(what: str) -> InvalidInput:
    return InvalidInput("org.divisions_damaged", "", what)
