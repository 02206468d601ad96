"""The fonts that certificates are set in, and which characters they can print."""

from __future__ import annotations

import bisect
import functools
import struct
import unicodedata
from pathlib import Path

import pylopdf_fonts_zh_cn

FONT_FILES: tuple[Path, ...] = (pylopdf_fonts_zh_cn.serif_path(), pylopdf_fonts_zh_cn.sans_path())
FONT_FOLDER = FONT_FILES[0].parent
_UCS4_FORMAT = 12  # the `cmap` subtable that knows characters beyond U+FFFF


def unprintable(text: str) -> str:
    """The characters of `text` that no font has a glyph for: each would come out as an empty box."""
    ranges = _printable_ranges()
    return "".join(dict.fromkeys(character for character in text if not _has_glyph(ranges, character)))


def _has_glyph(ranges: list[tuple[int, int]], character: str) -> bool:
    # A variation selector has no glyph of its own; without the variant the plain character is printed.
    if unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return True
    place = bisect.bisect_right(ranges, (ord(character), 0x110000)) - 1
    return place >= 0 and ord(character) <= ranges[place][1]


@functools.cache
def _printable_ranges() -> list[tuple[int, int]]:
    found = sorted(found for path in FONT_FILES for found in read_ranges(path.read_bytes()))
    merged: list[tuple[int, int]] = []
    for first, last in found:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def read_ranges(font: bytes) -> list[tuple[int, int]]:
    """The code points an OpenType font maps to glyphs, as (first, last). Raises ValueError without a UCS-4 `cmap`."""
    table = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, table + 2)
    for record in range(count):
        _, _, offset = struct.unpack_from(">HHI", font, table + 4 + 8 * record)
        if struct.unpack_from(">H", font, table + offset)[0] == _UCS4_FORMAT:
            return _groups(font, table + offset)
    raise ValueError("the font has no UCS-4 character map")


def _table(font: bytes, tag: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for record in range(count):
        name, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * record)
        if name == tag:
            return int(offset)
    raise ValueError(f"the font has no table {tag!r}")


def _groups(font: bytes, subtable: int) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", font, subtable + 12)
    groups = struct.iter_unpack(">III", font[subtable + 16 : subtable + 16 + 12 * count])
    # Glyph 0 is the empty box itself.
    return [(first, last) for first, last, glyph in groups if glyph != 0]
