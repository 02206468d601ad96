"""Photos as they may be kept: JPEG or PNG by content, without anything that a camera or a stranger wrote beside the picture.

Nothing is decoded here: the file is taken apart into its segments (ITU-T T.81 annex B, PNG 3rd edition), and put together
again from those that make the picture. Place, time and device (EXIF), comments, thumbnails and whatever follows the
picture's end are left out; of EXIF only the orientation stays, or a portrait would lie on its side.
"""

from __future__ import annotations

import dataclasses
import re
import struct
import zlib
from collections.abc import Iterator

from services.shared.errors import InvalidInput

# A phone's camera makes 12 to 50 million pixels; a file of a few kilobytes may claim far more and fill a viewer's memory.
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 16_000
# Progressive pictures come in about ten passes; thousands are an attack on whoever opens them.
MOST_SCANS = 64

FORM = "identity.evidence_form"
PIXELS = "identity.evidence_too_many_pixels"


@dataclasses.dataclass(frozen=True)
class Image:
    media_type: str
    content: bytes
    width: int
    height: int


def clean_image(content: bytes) -> Image:
    """The same picture without its company. Raises InvalidInput: "identity.evidence_form", "identity.evidence_too_many_pixels"."""
    try:
        if content.startswith(JPEG_START):
            return _clean_jpeg(content)
        if content.startswith(PNG_START):
            return _clean_png(content)
    except (IndexError, struct.error) as error:
        raise InvalidInput(FORM, "file", type(error).__name__) from None
    raise InvalidInput(FORM, "file", "neither JPEG nor PNG")


def _checked_size(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise InvalidInput(FORM, "file", "no pixels")
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise InvalidInput(PIXELS, "file")
    return width, height


# --- JPEG ----------------------------------------------------------------------------------------------------------------

JPEG_START = b"\xff\xd8\xff"
EOI, SOS = 0xD9, 0xDA
# Baseline, extended and progressive, Huffman-coded: what cameras write and browsers show.
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman tables, quantisation tables, restart interval
APP0, APP1, APP14 = 0xE0, 0xE1, 0xEE
OTHER_APPLICATIONS = frozenset(range(0xE0, 0xF0)) | {0xFE}  # and comments
# A marker in a scan: not a stuffed zero, a restart, or a fill byte.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
EXIF = b"Exif\x00\x00"
ORIENTATION = 0x0112
SHORT = 3


def _clean_jpeg(content: bytes) -> Image:
    kept: list[bytes] = []
    size, scans, turned = None, 0, 0
    for marker, segment, scan in _segments(content):
        if marker in FRAMES and size is None:
            height, width = struct.unpack_from(">HH", segment, 1)
            size = _checked_size(width, height)
        elif marker == SOS and size is not None and scans < MOST_SCANS:
            scans += 1
        elif marker == APP1 and segment.startswith(EXIF):
            turned = turned or _orientation(segment[len(EXIF) :])
            continue
        elif not _is_needed(marker, segment):
            continue
        kept += [_segment(marker, segment), scan]
    if size is None or not scans:
        raise InvalidInput(FORM, "file", "no picture")
    upright = [_orientation_segment(turned)] if turned else []
    return Image("image/jpeg", b"".join([b"\xff\xd8", *upright, *kept, b"\xff\xd9"]), *size)


def _segments(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(marker, segment, the scan behind it) up to the picture's end; what follows that is never looked at."""
    position = 2
    while True:
        marker, position = _next_marker(content, position)
        if marker == EOI:
            return
        (length,) = struct.unpack_from(">H", content, position)
        segment, position = content[position + 2 : position + length], position + length
        if length < 2 or position > len(content):
            raise InvalidInput(FORM, "file", "a segment is cut short")
        end = position
        if marker == SOS:
            found = _SCAN_END.search(content, position)
            if found is None:
                raise InvalidInput(FORM, "file", "a scan without end")
            end = found.start()
        yield marker, segment, content[position:end]
        position = end


def _next_marker(content: bytes, position: int) -> tuple[int, int]:
    """The marker at `position` and where its segment begins; fill bytes may stand before it."""
    if content[position] != 0xFF:
        raise InvalidInput(FORM, "file", "no marker")
    while content[position] == 0xFF:
        position += 1
    return content[position], position + 1


def _is_needed(marker: int, segment: bytes) -> bool:
    """Whether the picture needs it: tables, JFIF without thumbnail, and Adobe's note on colours.

    Raises InvalidInput for what neither belongs to such a picture nor may be left out.
    """
    if marker == APP0:
        return segment.startswith(b"JFIF\x00") and len(segment) == 14 and segment[12:] == b"\x00\x00"
    if marker == APP14:
        return segment.startswith(b"Adobe") and len(segment) == 12
    if marker not in TABLES and marker not in OTHER_APPLICATIONS:
        raise InvalidInput(FORM, "file", f"marker {marker:02x}")
    return marker in TABLES


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _orientation(tiff: bytes) -> int:
    """2 to 8 when the picture has to be turned or mirrored to stand upright, else 0."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
            if tag == ORIENTATION:
                return value if kind == SHORT and 2 <= value <= 8 else 0
    except struct.error:
        pass
    return 0


def _orientation_segment(orientation: int) -> bytes:
    """EXIF with this one entry."""
    entry = struct.pack(">HHIHH", ORIENTATION, SHORT, 1, orientation, 0)
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    return _segment(APP1, EXIF + tiff)


# --- PNG -----------------------------------------------------------------------------------------------------------------

PNG_START = b"\x89PNG\r\n\x1a\n"
KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"IDAT", b"IEND"})
IS_ANCILLARY = 0x20  # bit of a chunk's first letter: a viewer may ignore it, and so do we
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def _clean_png(content: bytes) -> Image:
    kept, size, has_data, position = [PNG_START], None, False, len(PNG_START)
    while True:
        length, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        body, position = content[position:end], end
        if len(body) < length + 12 or struct.unpack(">I", body[-4:])[0] != zlib.crc32(body[4:-4]):
            raise InvalidInput(FORM, "file", "a chunk is cut short or damaged")
        if (name == b"IHDR") is not (size is None):
            raise InvalidInput(FORM, "file", "the header stands elsewhere")
        if name == b"IHDR":
            size = _png_size(body[8:-4])
        if name in KEPT_CHUNKS:
            kept.append(body)
        elif not name[0] & IS_ANCILLARY:
            raise InvalidInput(FORM, "file", "an unknown critical chunk")
        has_data = has_data or name == b"IDAT"
        if name == b"IEND":
            break
    if size is None or not has_data:
        raise InvalidInput(FORM, "file", "no picture")
    return Image("image/png", b"".join(kept), *size)


def _png_size(header: bytes) -> tuple[int, int]:
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if depth not in DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise InvalidInput(FORM, "file", "not a PNG that exists")
    return _checked_size(width, height)
