"""Writing .xlsx files as a stream: every cell is text, nothing is ever on a disk, memory stays the same at any length.

A workbook is an archive of a few XML parts (ECMA-376). Parts are written one after the other into `write`, which needs
neither to seek nor to be read back; so a file can be sealed piece by piece while it grows.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence

# A spreadsheet program runs a cell that starts like this, also out of a file that somebody else typed.
DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\r")
EPOCH = (1980, 1, 1, 0, 0, 0)  # of the archive's entries: the same content gives the same bytes
LONGEST_MARGIN = 255  # characters that a spreadsheet program takes for a page's header or footer
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
# What XML 1.0 cannot hold is written as _xHHHH_; so a text that looks like that has its own underscore escaped.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{SHEETS}"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font>'
    '</fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>'
    '<xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/>'
    "</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
TEXT, BOLD = 1, 2


def protect(text: str) -> str:
    """The text as a cell that no spreadsheet program runs: a dangerous start gets an apostrophe before it."""
    return f"'{text}" if text.startswith(DANGEROUS_STARTS) else text


class SheetWriter:
    """A workbook with one sheet of `header` and rows, and a second one, 说明, when there are `notes`.

    Numbers stay text, so ID numbers keep their digits; formulas and links are never made. `margin` is printed at the
    top and the bottom of each page.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        header: Sequence[str],
        *,
        created: dt.datetime | None = None,
        margin: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self._archive = zipfile.ZipFile(_Stream(write), "w", zipfile.ZIP_DEFLATED)
        self._margin = margin
        self._rows = 0
        sheets = ["名单", "说明"] if notes else ["Sheet1"]
        for name, content in _parts(sheets, created).items():
            self._archive.writestr(_entry(name), content.encode())
        if notes:
            self._write_notes(notes)
        self._sheet = self._archive.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True)
        self._sheet.write(_sheet_head(len(header)))
        self._write(header, BOLD)

    def write_row(self, cells: Sequence[str]) -> None:
        self._write(cells, TEXT)

    def close(self) -> None:
        """Finish the file; without this it cannot be opened."""
        self._sheet.write(_sheet_tail(self._margin))
        self._sheet.close()
        self._archive.close()

    def _write(self, cells: Sequence[str], style: int) -> None:
        self._rows += 1
        self._sheet.write(_row(self._rows, cells, style))

    def _write_notes(self, notes: Mapping[str, str]) -> None:
        rows = b"".join(_row(number, note, TEXT) for number, note in enumerate(notes.items(), start=1))
        content = _sheet_head(2) + rows + _sheet_tail(self._margin)
        self._archive.writestr(_entry("xl/worksheets/sheet2.xml"), content)


class _Stream(io.RawIOBase):
    """What the archive writes into: it can go forward only."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._write(bytes(data))
        return len(data)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _parts(sheets: Sequence[str], created: dt.datetime | None) -> dict[str, str]:
    """Everything but the sheets themselves."""
    numbers = range(1, len(sheets) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    names = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, sheets, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    stamp = f"{created:%Y-%m-%dT%H:%M:%SZ}" if created else ""
    moment = f'<dcterms:created xsi:type="dcterms:W3CDTF">{stamp}</dcterms:created>' if stamp else ""
    return {
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
            '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
            f"{overrides}</Types>"
        ),
        "_rels/.rels": (
            f'{_HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
            f'<Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
            "</Relationships>"
        ),
        "docProps/core.xml": (
            f'{_HEAD}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties"'
            ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"{moment}</cp:coreProperties>"
        ),
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{SHEETS}" xmlns:r="{RELATIONS}"><sheets>{names}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{_HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}'
            f'<Relationship Id="rId{len(sheets) + 1}" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": _STYLES,
    }


def _sheet_head(columns: int) -> bytes:
    width = f'<cols><col min="1" max="{max(columns, 1)}" width="18" style="{TEXT}" customWidth="1"/></cols>'
    return f'{_HEAD}<worksheet xmlns="{SHEETS}">{width}<sheetData>'.encode()


def _sheet_tail(margin: str) -> bytes:
    tail = "</sheetData>"
    if margin:
        # "&" begins a code there. Before the escape, so that the end is not cut in the middle of one.
        text = _written("&L" + margin.replace("&", "&&")[: LONGEST_MARGIN - 2].rstrip("&"))
        tail += f"<headerFooter><oddHeader>{text}</oddHeader><oddFooter>{text}</oddFooter></headerFooter>"
    return f"{tail}</worksheet>".encode()


def _row(number: int, cells: Sequence[str], style: int) -> bytes:
    written = "".join(
        f'<c r="{_column(position)}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
        f"{_written(protect(text))}</t></is></c>"
        for position, text in enumerate(cells)
        if text
    )
    return f'<row r="{number}">{written}</row>'.encode("utf-8", "replace")


def _written(text: str) -> str:
    if _UNWRITABLE.search(text) or "_x" in text:
        text = _LOOKS_ESCAPED.sub("_x005F_", text)
        text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.translate(_ESCAPES)


def _column(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
