"""From a certificate's data to its PDF: typst with embedded fonts. No database, no clock; blocks for some milliseconds.

All text goes to the template as data, so a name that looks like markup is printed and not obeyed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import segno
import typst

from services.certs import contract, fonts, rules
from services.certs.proofs.rules import unit_of
from services.shared import clock
from services.shared.errors import Conflict

TEMPLATES = Path(__file__).parent / "templates"
# For archives: fonts and colours inside, nothing that runs or calls out (ISO 19005-2, level B).
PDF_STANDARD: Final = "a-2b"
STANDARD_TEMPLATE = "learning-certificate"


@dataclasses.dataclass(frozen=True)
class Paper:
    """Everything that is printed."""

    number: str
    holder_name: str
    school_name: str
    programme_zh: str
    programme_en: str
    opens_on: dt.date
    closes_on: dt.date
    hours: Decimal
    issued_at: dt.datetime
    base_url: str
    template: str = STANDARD_TEMPLATE
    seal: str = ""  # what a reader without a network checks (`offline.py`)
    kind: str = rules.Kind.LEARNING
    code: str = ""  # of the programme; the number that the institution gave; year and unit
    issuer: str = contract.ISSUER_ZH


def render(paper: Paper) -> bytes:
    """The PDF; the same paper gives the same bytes.

    Raises Conflict("certs.name_not_printable") for text with characters that the fonts do not have.
    """
    require_printable(
        paper.holder_name, paper.school_name, paper.programme_zh, paper.programme_en, paper.code, paper.issuer
    )
    return compose(template_file(paper.template), "certificate", page_data(paper), paper.issued_at)


def require_printable(*texts: str) -> None:
    """Raises Conflict("certs.name_not_printable") for text with characters that the fonts do not have."""
    # The detail names code points, not the text: it goes to logs.
    if missing := fonts.unprintable("".join(texts)):
        points = " ".join(f"U+{ord(character):04X}" for character in missing)
        raise Conflict("certs.name_not_printable", "", points)


def compose(template: Path, name: str, data: dict[str, Any], at: dt.datetime) -> bytes:
    """The PDF that a template makes of `data`, which it knows as `name`; `at` is the document's own date."""
    compiler = typst.Compiler(root=str(TEMPLATES), font_paths=open_fonts(), ignore_system_fonts=True)
    pdf = compiler.compile(
        input=str(template),
        format="pdf",
        sys_inputs={name: json.dumps(data, ensure_ascii=False)},
        timestamp=int(at.timestamp()),
        pdf_standards=[PDF_STANDARD],
    )
    assert isinstance(pdf, bytes)
    return pdf


def template_file(name: str) -> Path:
    """The template that a programme names; the standard form where there is none of that name."""
    found = TEMPLATES / f"{name}.typ"
    known = name.replace("-", "").isalnum() and found.is_file()
    return found if known else TEMPLATES / f"{STANDARD_TEMPLATE}.typ"


def qr_svg(address: str) -> str:
    """The QR code of an address, error level M: readable with an eighth of it dirty or folded."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=2, xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()


@functools.cache
def open_fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(fonts.FONT_FOLDER)],
    )


def page_data(paper: Paper) -> dict[str, str]:
    """What the template is given of a paper."""
    address = contract.verification_url(paper.base_url, paper.number)
    issued_on = paper.issued_at.astimezone(clock.BEIJING).date()
    unit_zh, unit_en = unit_of(paper.kind, paper.code)
    return {
        "title": f"{contract.KINDS[paper.kind][0]} {rules.format_number(paper.number)}",
        "number": rules.format_number(paper.number),
        "holder_name": paper.holder_name,
        "school_name": paper.school_name,
        "programme_zh": paper.programme_zh,
        "programme_en": paper.programme_en,
        "opens_on": paper.opens_on.isoformat(),
        "opens_zh": _chinese_day(paper.opens_on),
        "closes_on": paper.closes_on.isoformat(),
        "closes_zh": _chinese_day(paper.closes_on),
        "hours": str(paper.hours),
        "issued_on": issued_on.isoformat(),
        "issued_zh": _chinese_day(issued_on),
        "issuer_zh": paper.issuer,
        # An institution's name is printed as it gave it.
        "issuer_en": contract.ISSUER_EN if paper.issuer == contract.ISSUER_ZH else "",
        "code": paper.code,
        "unit_zh": unit_zh,
        "unit_en": unit_en,
        "address": address,
        "qr": qr_svg(f"{address}#{paper.seal}" if paper.seal else address),
    }


def _chinese_day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
