"""The paper as such: text is data, every character has a glyph, and names of any length fit on one page."""

import datetime as dt
import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pypdfium2 as pdfium
import pytest
import segno

from services.certs import fonts, rendering, rules
from services.shared.errors import Conflict

NUMBER = rules.make_number(2023, 12345)


def paper(**changes):
    values = {
        "number": NUMBER,
        "holder_name": "张小明",
        "school_name": "广州市第一小学",
        "programme_zh": "2023年寒假教师研修",
        "programme_en": "Winter training",
        "opens_on": dt.date(2022, 12, 2),
        "closes_on": dt.date(2023, 2, 28),
        "hours": Decimal("6.00"),
        "issued_at": dt.datetime(2023, 2, 28, 16, 5, tzinfo=dt.UTC),
        "base_url": "https://example.org",
    }
    return rendering.Paper(**(values | changes))


def text_of(pdf):
    document = pdfium.PdfDocument(pdf)
    assert len(document) == 1
    return re.sub(r"\s+", "", document[0].get_textpage().get_text_range())


def test_the_same_paper_gives_the_same_bytes():
    assert rendering.render(paper()) == rendering.render(paper())


def test_the_day_of_issue_is_a_beijing_day():
    assert "2023年3月1日" in text_of(rendering.render(paper()))


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x")',
        "*粗*_斜_",
        '"; #import "x"',
        "\\u{41}",
        "$x^2$",
        "// 注释",
        "@ref<label>",
        "#sys.inputs",
        "[[[",
        "'\"`",
    ],
)
def test_markup_in_a_name_is_printed_and_not_obeyed(name):
    assert re.sub(r"\s+", "", name) in text_of(rendering.render(paper(holder_name=name, school_name=name)))


@pytest.mark.parametrize("name", ["买合木提江·阿不都热合曼·吐尔逊江·伊米提" * 2, "M" * 60, "欧阳" * 25])
def test_long_names_stay_on_the_page(name):
    text = text_of(rendering.render(paper(holder_name=name, school_name="某某市某某区某某镇中心小学" * 5)))
    assert name in text
    assert rules.format_number(NUMBER) in text


@pytest.mark.parametrize(
    "name", ["张明", "欧阳娜娜", "买买提·吐尔逊", "Zoë Müller", "䶮", "\U00030edd", "葛\U000e0100明"]
)
def test_names_in_use_can_be_printed(name):
    assert fonts.unprintable(name) == ""


@pytest.mark.parametrize(
    ("name", "missing"),
    [("张\U00020bb7", "\U00020bb7"), ("😀明😀", "😀"), ("محمد", "محد"), ("张\x00", "\x00"), ("\ufffe", "\ufffe")],
)
def test_characters_without_glyph_are_named(name, missing):
    assert fonts.unprintable(name) == missing


@pytest.mark.parametrize("field", ["holder_name", "school_name", "programme_zh", "programme_en"])
def test_no_field_is_printed_with_empty_boxes(field):
    with pytest.raises(Conflict) as refused:
        rendering.render(paper(**{field: "x😀"}))
    assert (refused.value.code, refused.value.detail) == ("certs.name_not_printable", "U+1F600")


def test_the_coverage_agrees_with_what_the_renderer_draws():
    # The empty box of the font draws the same for every character it does not have; a covered one draws differently.
    def drawing(character):
        compiler = rendering.typst.Compiler(font_paths=rendering.open_fonts(), ignore_system_fonts=True)
        source = '#set text(font: ("Noto Serif SC", "Noto Sans SC"), fallback: false)\n#sys.inputs.text'
        return compiler.compile(input=source.encode(), format="svg", sys_inputs={"text": character}).decode()

    box = drawing("\U0001f600")
    for character in "张䶮\U00030edd\U00020bb7\U0002a6d6\u0e01\u05d0Aé·":
        shapes = re.sub(r"#\w+|id=\"\w+\"", "", drawing(character))
        is_box = shapes == re.sub(r"#\w+|id=\"\w+\"", "", box)
        assert is_box == bool(fonts.unprintable(character)), hex(ord(character))


@pytest.mark.parametrize("font", [b"OTTO" + b"\0" * 8, b"OTTO\0\0" + b"\0" * 6])
def test_a_font_without_character_map_is_refused(font):
    with pytest.raises(ValueError, match="no table"):
        fonts.read_ranges(font)


@pytest.mark.parametrize("name", ["smartedu-study", "", "../../etc/passwd", "learning-certificate.typ", "a/b"])
def test_an_unknown_template_is_the_standard_form(name):
    assert rendering.template_file(name) == rendering.TEMPLATES / "learning-certificate.typ"


def test_the_qr_svg_holds_the_modules_of_the_address():
    address = "https://example.org/verify/" + NUMBER
    svg = ET.fromstring(rendering.qr_svg(address))
    size = len(segno.make(address, error="m", micro=False).matrix) + 4
    assert svg.get("width") == svg.get("height") == str(size)


def test_each_template_in_the_folder_compiles():
    for template in rendering.TEMPLATES.glob("*.typ"):
        assert rendering.render(paper(template=template.stem)).startswith(b"%PDF")


def test_a_pdf_is_made_for_archives_and_says_so():
    pdf = rendering.render(paper())
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    # What a reader needs to show the colours as they were meant; without it the flag would be a lie.
    assert b"/OutputIntents" in pdf
    assert b"/JavaScript" not in pdf
