"""The program that opens a stranger's spreadsheet: a process of its own, with little memory and little time.

Started by `spreadsheet.read_rows` as `python -I spreadsheet_reader.py '<limits as JSON>'`: the file comes on standard input, one JSON
object goes to standard output, {"rows": [[number, [text, …]], …]} or {"error": code}. It imports nothing of ours, so
that starting it stays cheap and nothing of ours is within its reach.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import sys
import zipfile
from typing import Any

NOT_A_SPREADSHEET = "shared.not_a_spreadsheet"
TOO_LARGE = "shared.spreadsheet_too_large"
# Excel keeps 15 significant digits: a longer number typed into a number cell has lost its end for good.
EXACT_INTEGERS = 10**15
LOST_DIGITS = "#LOST_DIGITS"
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


def read_rows(data: bytes, limits: dict[str, int]) -> list[list[Any]]:
    """The filled rows of the first sheet as text, with their numbers as the spreadsheet program shows them."""
    import python_calamine

    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    if not workbook.sheet_names:
        raise RefusedError(NOT_A_SPREADSHEET)
    sheet = workbook.get_sheet_by_index(0)
    last_row, last_column = sheet.end or (0, 0)  # counted from 0, and total_height is one too small
    if last_row >= limits["rows"] or last_column >= limits["columns"]:
        raise RefusedError(TOO_LARGE)
    rows, characters = [], 0
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        texts = [as_text(cell) for cell in cells]
        if any(len(text) > limits["cell_characters"] for text in texts):
            raise RefusedError(TOO_LARGE)
        characters += sum(map(len, texts))
        if characters > limits["characters"]:
            raise RefusedError(TOO_LARGE)
        if any(texts):
            rows.append([number, texts])
    return rows


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
    reply: dict[str, Any]
    try:
        check_archive(data, limits)
        reply = {"rows": read_rows(data, limits)}
    except RefusedError as error:
        reply = {"error": str(error)}
    except MemoryError:
        reply = {"error": TOO_LARGE}
    # A panic of the parser is no Exception; whatever it is, it is the file that did it.
    except BaseException as error:  # noqa: BLE001
        reply = {
            "error": TOO_LARGE if OUT_OF_MEMORY in str(error) else NOT_A_SPREADSHEET,
            "detail": type(error).__name__,
        }
    sys.stdout.write(json.dumps(reply))


if __name__ == "__main__":
    main()
