"""Documents of other owners: what the contract takes, what stands on the page, that text is data, that bytes repeat."""

import re

import pypdfium2 as pdfium
import pytest
from marshmallow import ValidationError

from services.certs import printouts
from services.certs.contract.document import PrintedDocument
from services.shared.errors import Conflict


def notice(**changes):
    given = {
        "title": {"zh": "缴款通知书", "en": "Payment notice"},
        "issuer": "南宁市教育局",
        "reference": "2026-000123",
        "at": "2026-03-01T00:00:00.000000Z",
        "facts": [
            {"label": {"zh": "学校", "en": "School"}, "value": "南宁市第一小学"},
            {"label": {"zh": "年度"}, "value": "2026"},
            {"label": {"zh": "说明"}, "value": "全员培训", "wide": True},
            {"label": {"zh": "截止"}, "value": "2026-04-01"},
        ],
        "sections": [
            {
                "title": {"zh": "明细", "en": "Items"},
                "paragraphs": ["请于截止日前缴款。"],
                "columns": [
                    {"label": {"zh": "项目", "en": "Item"}, "share": 3},
                    {"label": {"zh": "金额（元）", "en": "Amount"}, "align": "right"},
                ],
                "rows": [["远程培训", "1200.00"], ["集中培训", "800.00"]],
                "totals": ["合计", "2000.00"],
            }
        ],
        "notes": ["凭本通知书缴款。"],
        "signatures": [{"zh": "缴款单位（盖章）"}, {"zh": "收款单位（盖章）"}],
        "address": "https://example.org/notices/2026-000123",
        **changes,
    }
    return PrintedDocument().load(given)


def text_of(pdf):
    return re.sub(r"\s+", "", "".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(pdf)))


def test_everything_that_the_owner_said_stands_on_the_page():
    text = text_of(printouts.render_document(notice(printed="李* · 存档")))
    for said in (
        *(
            "缴款通知书",
            "Paymentnotice",
            "2026-000123",
            "南宁市第一小学",
            "全员培训",
            "2026-04-01",
            "请于截止日前缴款。",
        ),
        *("远程培训", "1200.00", "合计", "2000.00", "凭本通知书缴款。", "缴款单位（盖章）", "打印Printed:李*·存档"),
    ):
        assert said in text, said


def test_the_smallest_document_is_a_title():
    bare = PrintedDocument().load({"title": {"zh": "证明"}, "at": "2026-03-01T00:00:00Z"})
    assert "证明" in text_of(printouts.render_document(bare))


def test_the_same_data_gives_the_same_bytes_and_another_date_others():
    assert printouts.render_document(notice()) == printouts.render_document(notice())
    assert printouts.render_document(notice()) != printouts.render_document(notice(at="2026-03-02T00:00:00Z"))


@pytest.mark.parametrize("text", ['#panic("x")', "*粗*_斜_", '"; #import "x"', "$x^2$", "@ref<label>", "[[[", "= 标题"])
def test_markup_is_printed_and_not_obeyed(text):
    hostile = notice(notes=[text], facts=[{"label": {"zh": text}, "value": text}])
    assert re.sub(r"\s+", "", text) in text_of(printouts.render_document(hostile))


def test_a_long_table_goes_on_with_its_header_on_every_page():
    long = [{"columns": [{"label": {"zh": "项目"}}], "rows": [[f"第{n}行"] for n in range(200)]}]
    pages = [
        page.get_textpage().get_text_range()
        for page in pdfium.PdfDocument(printouts.render_document(notice(sections=long)))
    ]
    assert len(pages) > 2
    assert all("项目" in page for page in pages[1:])


@pytest.mark.parametrize(
    "changes",
    [
        {"notes": ["甲😀"]},
        {"facts": [{"label": {"zh": "学校"}, "value": "甲😀"}]},
        {"sections": [{"columns": [{"label": {"zh": "甲"}}], "rows": [["😀"]]}]},
        {"sections": [{"columns": [{"label": {"zh": "甲", "en": "😀"}}]}]},
    ],
)
def test_nothing_is_printed_as_an_empty_box(changes):
    with pytest.raises(Conflict) as refused:
        printouts.render_document(notice(**changes))
    assert (refused.value.code, refused.value.detail) == ("certs.name_not_printable", "U+1F600")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": {"en": "no Chinese"}},
        {"sections": [{"columns": [{"label": {"zh": "甲"}}], "rows": [["1", "2"]]}]},
        {"sections": [{"columns": [{"label": {"zh": "甲"}}], "totals": ["1", "2"]}]},
        {"sections": [{"columns": [{"label": {"zh": "甲"}, "align": "justify"}]}]},
        {"notes": ["two\nlines"]},
        {"notes": ["turned \u202e round"]},
        {"unknown": "field"},
        {"signatures": [{"zh": "甲"}] * 5},
    ],
)
def test_what_is_no_such_document_is_refused(changes):
    with pytest.raises(ValidationError):
        notice(**changes)


def test_facts_fill_their_lines():
    wide, narrow = {"wide": True}, {"wide": False}
    spans = [
        [each["span"] for each in printouts._laid_out(facts)]
        for facts in ([narrow] * 3, [narrow, wide, narrow, narrow])
    ]
    assert spans == [[1, 1, 3], [3, 3, 1, 1]]
