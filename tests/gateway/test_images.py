"""Photos: what is kept, what is left out, what is refused; a decoder that others wrote says whether the picture is the same."""

import contextlib
import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin

from gateway.images import MOST_PIXELS, clean_image
from services.shared.errors import InvalidInput

SECRET = b"lat 23.1291 long 113.2644 serial 0001"


def picture(size=(40, 30), mode="RGB"):
    made = Pillow.new("RGB", size)
    made.putdata([(x * 6 % 256, y * 8 % 256, (x + y) * 3 % 256) for y in range(size[1]) for x in range(size[0])])
    return made.convert(mode)


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def exif(orientation=None):
    made = Pillow.Exif()
    made[0x010F] = SECRET.decode()
    made[0x8825] = {1: "N"}
    if orientation:
        made[0x0112] = orientation
    return made


def pixels(content):
    with Pillow.open(io.BytesIO(content)) as opened:
        return opened.size, opened.mode, opened.tobytes()


JPEGS = {
    "plain": lambda: saved(picture(), "JPEG", quality=90),
    "progressive": lambda: saved(picture((200, 150)), "JPEG", progressive=True),
    "grey": lambda: saved(picture(mode="L"), "JPEG"),
    "cmyk": lambda: saved(picture(mode="CMYK"), "JPEG"),
    "restarts": lambda: saved(picture((200, 150)), "JPEG", restart_marker_rows=1),
    "exif": lambda: saved(picture(), "JPEG", exif=exif()),
    "comment": lambda: saved(picture(), "JPEG", comment=SECRET),
    "icc": lambda: saved(picture(), "JPEG", icc_profile=SECRET * 20),
    "trailing": lambda: saved(picture(), "JPEG") + SECRET,
    "fill bytes": lambda: saved(picture(), "JPEG").replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1),
}
PNGS = {
    "plain": lambda: saved(picture(), "PNG"),
    "palette": lambda: saved(picture().quantize(16), "PNG"),
    "transparent": lambda: saved(picture(mode="RGBA"), "PNG"),
    "grey": lambda: saved(picture(mode="L"), "PNG"),
    "one bit": lambda: saved(picture(mode="1"), "PNG"),
    "exif": lambda: saved(picture(), "PNG", exif=exif()),
    "texts": lambda: saved(picture(), "PNG", pnginfo=texts()),
    "trailing": lambda: saved(picture(), "PNG") + SECRET,
}


def texts():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("Place", SECRET.decode())
    info.add_text("Zipped", SECRET.decode() * 50, zip=True)
    return info


@pytest.mark.parametrize(
    ("form", "make"),
    [pytest.param("image/jpeg", make, id=f"jpeg {name}") for name, make in JPEGS.items()]
    + [pytest.param("image/png", make, id=f"png {name}") for name, make in PNGS.items()],
)
def test_the_same_picture_without_its_company(form, make):
    content = make()
    cleaned = clean_image(content)
    assert cleaned.media_type == form
    assert pixels(cleaned.content) == pixels(content)
    assert (cleaned.width, cleaned.height) == pixels(content)[0]
    assert SECRET[:12] not in cleaned.content
    assert clean_image(cleaned.content) == cleaned


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_portrait_stays_upright(orientation):
    cleaned = clean_image(saved(picture(), "JPEG", exif=exif(orientation)))
    with Pillow.open(io.BytesIO(cleaned.content)) as opened:
        kept = dict(opened.getexif())
    assert kept == ({0x0112: orientation} if orientation > 1 else {})


def test_a_preview_in_the_file_is_left_out():
    """A cropped photo may carry the whole one as its thumbnail."""
    plain = saved(picture(), "JPEG")
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 3) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01" + b"abc"
    content = plain[:2] + thumbnail + plain[2:]
    assert b"abc" not in clean_image(content).content


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width=4, height=4, depth=8, colour=2, interlace=0, *extra, data=b"x"):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def refused(content, code="identity.evidence_form"):
    with pytest.raises(InvalidInput) as refusal:
        clean_image(content)
    assert (refusal.value.code, refusal.value.field) == (code, "file")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        png()[:-3],
        png().replace(b"IDAT", b"IDAX"),
        png(depth=3),
        png(colour=5),
        png(interlace=2),
        png(width=0),
        png(4, 4, 8, 2, 0, chunk(b"ABCD", b"critical")),
        png(4, 4, 8, 2, 0, chunk(b"IHDR", bytes(13))),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(12)),
        saved(picture(), "JPEG")[:-2],
        saved(picture(), "JPEG")[:200],
        saved(picture(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1),
        saved(picture(), "JPEG").replace(b"\xff\xc0", b"\xff\xc9", 1),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01",
        saved(picture(), "GIF"),
        saved(picture(), "WEBP"),
        saved(picture(), "BMP"),
        saved(picture(), "TIFF"),
    ],
)
def test_what_is_no_picture_of_the_two_kinds_is_refused(content):
    refused(content)


def test_a_small_file_that_claims_a_huge_picture_is_refused():
    refused(png(60_000, 60_000), "identity.evidence_too_many_pixels")
    refused(png(16_001, 1), "identity.evidence_too_many_pixels")
    refused(png(10_000, MOST_PIXELS // 10_000 + 1), "identity.evidence_too_many_pixels")
    jpeg = bytearray(saved(picture(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    refused(bytes(jpeg), "identity.evidence_too_many_pixels")


def test_thousands_of_scans_are_refused():
    plain = saved(picture(), "JPEG")
    scan = plain[plain.index(b"\xff\xda") : -2]
    refused(plain[:-2] + scan * 100 + b"\xff\xd9")


def test_five_megabytes_of_stuffed_bytes_take_no_time():
    plain = saved(picture(), "JPEG")
    content = plain[:-2] + b"\xff\x00" * 2_600_000 + b"\xff\xd9"
    started = time.perf_counter()
    assert len(clean_image(content).content) > 5_000_000
    assert time.perf_counter() - started < 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_damaged_is_refused_or_a_picture_still(data):
    content = bytearray(data.draw(st.sampled_from([JPEGS["exif"](), JPEGS["progressive"](), PNGS["texts"]()])))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(InvalidInput):  # and nothing else
        assert clean_image(damaged).content.startswith((b"\xff\xd8", b"\x89PNG"))
