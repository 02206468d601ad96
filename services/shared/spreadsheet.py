"""Spreadsheets from strangers and for strangers: read in a confined process, written without living formulas."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from services.shared.errors import InvalidInput, Unavailable
from services.shared.spreadsheet_reader import LOST_DIGITS, NOT_A_SPREADSHEET, TOO_LARGE

__all__ = ["LOST_DIGITS", "Limits", "Row", "protect", "read_rows", "write_sheet"]

READER = Path(__file__).resolve().with_name("spreadsheet_reader.py")
ZIP_MARK = b"PK\x03\x04"
# A spreadsheet program runs a cell that starts like this, also out of a file that somebody else typed.
DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\r")


# Each reader may take `memory_bytes`; more uploads at once wait for their turn instead of for memory.
READERS_AT_ONCE = 2
_turns = threading.BoundedSemaphore(READERS_AT_ONCE)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a file may cost. The defaults suit a roster of a few thousand rows."""

    file_bytes: int = 5 << 20
    entries: int = 500  # files inside the archive; a workbook of one sheet has about ten
    unpacked_bytes: int = 64 << 20
    ratio: int = 200  # honest rosters stay below 30, a bomb is at 1,000
    rows: int = 5_001  # with the header
    columns: int = 64
    cell_characters: int = 1_000
    characters: int = 4_000_000
    memory_bytes: int = 512 << 20
    cpu_seconds: int = 10
    seconds: int = 20


@dataclasses.dataclass(frozen=True)
class Row:
    """One filled row; `number` is what the spreadsheet program shows at its left."""

    number: int
    cells: tuple[str, ...]


def read_rows(data: bytes, limits: Limits | None = None) -> list[Row]:
    """The filled rows of the first sheet of an .xlsx file, every cell as trimmed text, formulas as their stored result.

    A number too long to be exact reads as LOST_DIGITS. Raises InvalidInput("shared.not_a_spreadsheet") for anything that
    is no readable workbook, InvalidInput("shared.spreadsheet_too_large") for one that costs more than `limits`, and
    Unavailable("shared.unavailable") when other files keep the readers busy for that long.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise InvalidInput(TOO_LARGE, "file")
    if not data.startswith(ZIP_MARK):
        raise InvalidInput(NOT_A_SPREADSHEET, "file")
    if not _turns.acquire(timeout=limits.seconds):
        raise Unavailable("shared.unavailable", "file", "every reader is busy")
    try:
        reply = _ask_reader(data, limits)
    finally:
        _turns.release()
    if code := reply.get("error"):
        raise InvalidInput(code, "file", reply.get("detail", ""))
    return [Row(number, tuple(cells)) for number, cells in reply["rows"]]


def _ask_reader(data: bytes, limits: Limits) -> dict[str, Any]:
    command = [sys.executable, "-I", str(READER), json.dumps(dataclasses.asdict(limits))]
    try:
        # An empty environment: nothing of ours, no secret, no switch of the interpreter reaches the process.
        done = subprocess.run(  # noqa: S603  our own program; the file is data on its input
            command, input=data, capture_output=True, timeout=limits.seconds, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput(TOO_LARGE, "file", "time") from None
    except OSError as error:
        raise Unavailable("shared.unavailable", "", type(error).__name__) from error
    if done.returncode != 0 or not done.stdout:
        # Killed at one of its limits: memory (the parser aborts) or processor time.
        raise InvalidInput(TOO_LARGE, "file", f"reader ended with {done.returncode}")
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def protect(text: str) -> str:
    """The text as a cell that no spreadsheet program runs: a dangerous start gets an apostrophe before it."""
    return f"'{text}" if text.startswith(DANGEROUS_STARTS) else text


def write_sheet(
    target: Path | IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    created: dt.datetime | None = None,
) -> None:
    """Write one sheet of text cells, row by row, whatever their number.

    Numbers stay text, so ID numbers keep their digits; formulas and links are never made. With `created` the same content
    gives the same bytes.
    """
    workbook = xlsxwriter.Workbook(target if not isinstance(target, Path) else str(target), {"constant_memory": True})
    if created is not None:
        workbook.set_properties({"created": created})
    sheet = workbook.add_worksheet()
    text_format, bold = workbook.add_format({"num_format": "@"}), workbook.add_format({"bold": True, "num_format": "@"})
    sheet.set_column(0, max(len(header) - 1, 0), 18, text_format)
    for column, text in enumerate(header):
        sheet.write_string(0, column, protect(text), bold)
    for number, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells):
            sheet.write_string(number, column, protect(text), text_format)
    workbook.close()
