"""The program that opens a stranger's spreadsheet: a process of its own, with little memory and little time.

Started by `spreadsheet.open_rows` as `python -I spreadsheet_reader.py '<limits as JSON>'`: the file (.xlsx, or .csv in UTF-8 or
GB18030) comes on standard input. Standard output gets one JSON value a line: [number, [text, …]] for each filled row,
and at the end {"rows": how many}, or {"error": code}. It imports nothing of ours, so that starting it stays cheap and
nothing of ours is within its reach.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

NOT_A_SPREADSHEET = "shared.not_a_spreadsheet"
TOO_LARGE = "shared.spreadsheet_too_large"
# Excel keeps 15 significant digits: a longer number typed into a number cell has lost its end for good.
EXACT_INTEGERS = 10**15
LOST_DIGITS = "#LOST_DIGITS"
# How a spreadsheet program writes such a number into a .csv: 4.40524E+17.
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?E\+(1[5-9]|[2-9][0-9])", re.IGNORECASE)
ZIP_MARK = b"PK\x03\x04"
# PDF, RTF, the old .xls (also an encrypted .xlsx), HTML and XML: never a table of text.
OTHER_MARKS = (b"%PDF", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"<")
# Small entries may be dense in repetition; the ratio says something only about large ones.
RATIO_FROM_BYTES = 1 << 20


class RefusedError(Exception):
    """The file is refused; the argument is the code."""


# What the parser's binding panics with when Python could not give it an object for want of memory.
OUT_OF_MEMORY = "PyObject pointer is null"


def confine(limits: dict[str, int]) -> None:
    """Give up memory, time, files and children before the first byte of the file is looked at."""
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check_archive(data: bytes, limits: dict[str, int]) -> None:
    """Look at the table of contents before anything is unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > limits["entries"] or sum(entry.file_size for entry in entries) > limits["unpacked_bytes"]:
        raise RefusedError(TOO_LARGE)
    for entry in entries:
        if entry.file_size > RATIO_FROM_BYTES and entry.file_size > entry.compress_size * limits["ratio"]:
            raise RefusedError(TOO_LARGE)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise RefusedError(NOT_A_SPREADSHEET)


def read_rows(data: bytes, limits: dict[str, int]) -> Iterator[list[Any]]:
    """The filled rows as text, with their numbers as the spreadsheet program shows them."""
    cells = _workbook_rows(data, limits) if data.startswith(ZIP_MARK) else _csv_rows(data, limits)
    characters = 0
    for number, texts in enumerate(cells, start=1):
        if number > limits["rows"] or len(texts) > limits["columns"]:
            raise RefusedError(TOO_LARGE)
        if any(len(text) > limits["cell_characters"] for text in texts):
            raise RefusedError(TOO_LARGE)
        characters += sum(map(len, texts))
        if characters > limits["characters"]:
            raise RefusedError(TOO_LARGE)
        if any(texts):
            yield [number, texts]


def _workbook_rows(data: bytes, limits: dict[str, int]) -> Iterable[list[str]]:
    import python_calamine

    check_archive(data, limits)
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    if not workbook.sheet_names:
        raise RefusedError(NOT_A_SPREADSHEET)
    sheet = workbook.get_sheet_by_index(0)
    last_row, last_column = sheet.end or (0, 0)  # counted from 0, and total_height is one too small
    if last_row >= limits["rows"] or last_column >= limits["columns"]:
        raise RefusedError(TOO_LARGE)
    # Rows come from the first one on, but their cells only from the first filled column.
    before = [""] * (sheet.start[1] if sheet.start else 0)
    return (before + [as_text(cell) for cell in cells] for cells in sheet.iter_rows())


def _csv_rows(data: bytes, limits: dict[str, int]) -> Iterable[list[str]]:
    text = _decoded(data)
    csv.field_size_limit(4 * limits["cell_characters"])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return ([LOST_DIGITS if _ROUNDED.fullmatch(cell.strip()) else cell.strip() for cell in cells] for cells in reader)


def _decoded(data: bytes) -> str:
    if not data.strip() or b"\0" in data or data.lstrip().startswith(OTHER_MARKS):
        raise RefusedError(NOT_A_SPREADSHEET)
    # UTF-8 first: what is valid in it is hardly ever meant as anything else. Chinese Excel writes GB18030.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedError(NOT_A_SPREADSHEET)


def as_text(cell: object) -> str:
    """What the cell shows, roughly; a formula counts as the text of its stored result."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if abs(cell) >= EXACT_INTEGERS:
            return LOST_DIGITS
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, dt.date | dt.datetime | dt.time):
        return cell.isoformat()
    return str(cell).strip()


def main() -> None:
    limits = json.loads(sys.argv[1])
    confine(limits)
    data = sys.stdin.buffer.read(limits["file_bytes"] + 1)
    count = 0
    last: dict[str, Any]
    try:
        for count, row in enumerate(read_rows(data, limits), start=1):  # noqa: B007  it is counted for the last line
            print(json.dumps(row))  # noqa: T201  the protocol
        last = {"rows": count}
    except RefusedError as error:
        last = {"error": str(error)}
    except MemoryError:
        last = {"error": TOO_LARGE}
    # A panic of the parser is no Exception; whatever it is, it is the file that did it.
    except BaseException as error:  # noqa: BLE001
        last = {
            "error": TOO_LARGE if OUT_OF_MEMORY in str(error) else NOT_A_SPREADSHEET,
            "detail": type(error).__name__,
        }
    print(json.dumps(last), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
