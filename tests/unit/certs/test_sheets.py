"""Verification sheets as such: what is printed, that text is data, and that the same figures give the same bytes."""

import datetime as dt
import re
import uuid

import pypdfium2 as pdfium
import pytest

from services.certs import sheets
from services.shared.errors import Conflict

HASH = "0123456789abcdef" * 4
PERSON = {"name": "张小明", "learner_no": "G2023000123"}
PRINTING = sheets.Printing(uuid.UUID(int=7), "李*", dt.datetime(2024, 3, 1, 2, 0, tzinfo=dt.UTC), "年度验证盖章")


def year(**changes):
    span = {
        "met": False,
        "total": "66.00",
        "amounts": {"集中培训": "20.00", "远程培训": "50.00", "校本研修": "8.00"},
        "shortfalls": [{"rule_id": "X", "measure": "校本研修", "missing": "2.00"}],
        "required": [
            {"rule_id": "X", "measure": "total", "required": "16.00"},
            {"rule_id": "X", "measure": "校本研修", "required": "10.00"},
        ],
    }
    cycle = {
        **span,
        "years": [2021, 2022, 2023, 2024, 2025],
        "shortfalls": [{"rule_id": "Y", "measure": "集中培训+远程培训", "missing": "10.00"}],
        "required": [{"rule_id": "Y", "measure": "集中培训+远程培训", "required": "70.00"}],
    }
    return {
        "teacher_id": str(uuid.UUID(int=1)),
        "school_name": "南宁市第一小学",
        "place": "CN/450000/450100/450103/s1",
        "year": 2023,
        "state": "FROZEN",
        "version": 2,
        "unit": "CREDIT",
        "met": False,
        "total": "66.00",
        "shortfalls": span["shortfalls"],
        "cycle_met": False,
        "cycle_total": "66.00",
        "frozen_at": "2024-01-31T16:00:00.000000Z",
        "hash": HASH,
        "pack": {
            "id": "guangxi-2016",
            "version": "abc123",
            "unit": "CREDIT",
            "titles": {"zh": "广西规则", "en": "Guangxi"},
        },
        "verification": span,
        "cycle": cycle,
        "probation": {"hours": "120.00", "required": "120.00", "met": True},
        "not_converted": [{"source_ref": "x", "unit": "HOUR", "amount": "5.00"}],
        **changes,
    }


def text_of(pdf):
    document = pdfium.PdfDocument(pdf)
    return re.sub(r"\s+", "", "".join(page.get_textpage().get_text_range() for page in document))


def test_a_sheet_calls_no_cycle_met_of_which_nothing_is_required():
    cycle = {**year()["cycle"], "met": True, "shortfalls": [], "required": []}
    text = text_of(sheets.render_year(year(cycle=cycle, probation=None), PERSON, None))
    assert "无考核要求" in text
    assert "达到要求Met" not in text.replace("未达到要求", "")


def test_a_sheet_says_whose_what_against_what_and_by_which_snapshot():
    text = text_of(sheets.render_year(year(), PERSON, None))
    for expected in (
        "张小明",
        "G2023000123",
        "南宁市第一小学",
        "2023",
        "未达到要求",
        "Notmet",
        "2.00",
        "2021–2025",
        HASH,
    ):
        assert expected in text
    assert "guangxi-2016abc123" in text
    assert "120.00/120.00" in text
    assert "5.00学时" in text
    assert "2024-02-0100:00" in text  # in Beijing
    assert "进行中" in text
    assert "Printed" not in text


def test_the_last_year_of_a_cycle_is_the_verification_of_the_cycle():
    assert "周期验证结果" in text_of(sheets.render_year(year(year=2025), PERSON, None))


def test_whoever_prints_another_persons_sheet_stands_on_it():
    text = text_of(sheets.render_year(year(), PERSON, PRINTING))
    assert "李*·2024-03-0110:00·年度验证盖章" in text


def test_a_capped_part_shows_what_reached_the_sum():
    """W21: 20 and 50, of which 40 count, are 60 of 70."""
    found = {row["name"]: row for row in sheets.rows(year()["cycle"])}
    assert found["集中培训+远程培训"] == {
        "name": "集中培训+远程培训",
        "amount": "60.00",
        "required": "70.00",
        "missing": "10.00",
    }
    assert found["集中培训"]["required"].startswith("无考核要求")
    assert list(found)[-1] == "合计 Total"


def test_the_same_figures_give_the_same_bytes():
    assert sheets.render_year(year(), PERSON, None) == sheets.render_year(year(), PERSON, None)


@pytest.mark.parametrize("name", ['#panic("x")', "*粗*_斜_", '"; #import "x"', "[[[", "$x^2$"])
def test_markup_in_a_name_is_printed_and_not_obeyed(name):
    given = year(school_name=name)
    squeezed = re.sub(r"\s+", "", name)
    assert text_of(sheets.render_year(given, {**PERSON, "name": name}, None)).count(squeezed) == 2
    people = {given["teacher_id"]: {**PERSON, "name": name}}
    assert text_of(sheets.render_list(2023, "CN", [given], people, PRINTING)).count(squeezed) == 2


def test_a_character_without_a_glyph_is_refused_by_name():
    with pytest.raises(Conflict, match=r"certs\.name_not_printable"):
        sheets.render_year(year(), {**PERSON, "name": "\U0002ffff"}, None)


def test_a_list_has_a_line_for_each_and_its_heading_on_every_page():
    years = [year(teacher_id=str(uuid.UUID(int=number)), met=number % 2 == 0) for number in range(100)]
    people = {each["teacher_id"]: PERSON for each in years[1:]}
    pdf = sheets.render_list(2023, "CN/450000", years, people, PRINTING)
    document = pdfium.PdfDocument(pdf)
    text = text_of(pdf)
    assert len(document) > 1
    assert text.count("G2023000123") == 99  # one is nobody's whom identity names
    assert text.count(HASH) == 100
    assert "Met：50" in text
    for page in document:
        words = re.sub(r"\s+", "", page.get_textpage().get_text_range())
        assert "学号Learnerno." in words
        assert "李*" in words
