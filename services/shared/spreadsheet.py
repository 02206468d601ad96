"""Spreadsheets from strangers and for strangers: read in a confined process, written without living formulas."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from services.shared.errors import InvalidInput, Unavailable
from services.shared.sheet_writer import SheetWriter, protect
from services.shared.spreadsheet_reader import LOST_DIGITS, NOT_A_SPREADSHEET, TOO_LARGE

__all__ = ["LOST_DIGITS", "Limits", "Row", "open_rows", "protect", "read_rows", "write_sheet"]

READER = Path(__file__).resolve().with_name("spreadsheet_reader.py")

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
    """As `open_rows`, the whole file at once."""
    with open_rows([data], limits) as rows:
        return list(rows)


@contextlib.contextmanager
def open_rows(pieces: Iterable[bytes], limits: Limits | None = None) -> Iterator[Iterator[Row]]:
    """The filled rows of an .xlsx file's first sheet or of a .csv, one after the other, whatever their number.

    Every cell is trimmed text, a formula its stored result; a number too long to be exact reads as LOST_DIGITS. The
    following may also come in the middle, so nothing may count before the last row. Raises InvalidInput
    ("shared.not_a_spreadsheet") for anything that is no readable table, InvalidInput("shared.spreadsheet_too_large")
    for one that costs more than `limits`, and Unavailable("shared.unavailable") when other files keep the readers
    busy for that long.
    """
    limits = limits or Limits()
    if not _turns.acquire(timeout=limits.seconds):
        raise Unavailable("shared.unavailable", "file", "every reader is busy")
    try:
        with _reader(limits) as (reader, alarm):
            _feed(reader, pieces, limits)
            yield _rows_of(reader, alarm)
    finally:
        _turns.release()


@contextlib.contextmanager
def _reader(limits: Limits) -> Iterator[tuple[subprocess.Popen[bytes], threading.Timer]]:
    command = [sys.executable, "-I", str(READER), json.dumps(dataclasses.asdict(limits))]
    try:
        # An empty environment: nothing of ours, no secret, no switch of the interpreter reaches the process.
        reader = subprocess.Popen(  # noqa: S603  our own program; the file is data on its input
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
        )
    except OSError as error:
        raise Unavailable("shared.unavailable", "", type(error).__name__) from error
    alarm = threading.Timer(limits.seconds, reader.kill)
    alarm.daemon = True
    alarm.start()
    try:
        yield reader, alarm
    finally:
        alarm.cancel()
        reader.kill()
        for pipe in (reader.stdin, reader.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        reader.wait()


def _feed(reader: subprocess.Popen[bytes], pieces: Iterable[bytes], limits: Limits) -> None:
    """Give the reader the whole file; it says nothing before it has it all, so neither waits for the other."""
    assert reader.stdin is not None
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > limits.file_bytes:
                raise InvalidInput(TOO_LARGE, "file")
            reader.stdin.write(piece)
        reader.stdin.close()
    except BrokenPipeError:
        raise InvalidInput(TOO_LARGE, "file", "the reader ended") from None


def _rows_of(reader: subprocess.Popen[bytes], alarm: threading.Timer) -> Iterator[Row]:
    assert reader.stdout is not None
    last: dict[str, Any] | None = None
    count = 0
    for line in reader.stdout:
        # From here on it waits for us as much as we for it; what it does itself is bounded by its processor time.
        alarm.cancel()
        # Cut off: the reader was killed at one of its limits.
        if not line.endswith(b"\n"):
            break
        try:
            value = json.loads(line)
        except ValueError:
            break
        if isinstance(value, dict):
            last = value
            break
        count += 1
        yield Row(value[0], tuple(value[1]))
    if last is None or last.get("rows", count) != count:
        raise InvalidInput(TOO_LARGE, "file", f"reader ended with {reader.wait()}")
    if code := last.get("error"):
        raise InvalidInput(
            code if code in (NOT_A_SPREADSHEET, TOO_LARGE) else TOO_LARGE, "file", last.get("detail", "")
        )


def write_sheet(
    target: Path | IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    created: dt.datetime | None = None,
) -> None:
    """Write one sheet of text cells, row by row, whatever their number; the same content gives the same bytes."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(target.open("wb")) if isinstance(target, Path) else target
        sheet = SheetWriter(file.write, header, created=created)
        for cells in rows:
            sheet.write_row(cells)
        sheet.close()
