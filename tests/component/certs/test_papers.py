"""The PDF: made when first asked for, kept, and never made of a record that does not fit its signature."""

import ctypes
import hashlib
import json
import re
import threading

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
import segno
import sqlalchemy as sa
from click.testing import CliRunner

from services.certs import contract, fonts, rendering, rules
from services.certs.offline import Seal
from services.shared.actor import Role
from services.shared.errors import Conflict, NotFound
from yanxiu.commands import certificates


@pytest.fixture
def paper(season, render, a_person):
    """A teacher with a certificate, and what it takes to print it."""

    class Paper:
        teacher = season.teacher()

        def __init__(self):
            season.close()
            season.decide()
            self.actor = a_person(self.teacher)
            [self.certificate] = season.certs.call("list_certificates", {}, self.actor)["items"]
            self.arguments = {"certificate_id": self.certificate["certificate_id"]}

        def render(self):
            return render.call("render_certificate", self.arguments, self.actor)

        def content(self):
            return b"".join(render.service.storage.read(self.render()["storage_key"]))

        def execute(self, statement, **values):
            with season.certs.database.work() as db:
                db.execute(sa.text(statement), {"id": self.certificate["certificate_id"], **values})

    return Paper()


def text_of(pdf):
    return pdf[0].get_textpage().get_text_range().replace("\r\n", "\n")


def embedded_fonts(pdf):
    """{font name: whether its file is inside} of all text on the first page."""
    found = {}
    for item in pdf[0].get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT]):
        font = pdfium_c.FPDFTextObj_GetFont(item.raw)
        name = ctypes.create_string_buffer(100)
        pdfium_c.FPDFFont_GetBaseFontName(font, name, len(name))
        found[name.value.decode()] = bool(pdfium_c.FPDFFont_GetIsEmbedded(font))
    return found


def test_the_paper_says_who_what_how_long_and_under_which_number(paper):
    pdf = pdfium.PdfDocument(paper.content())
    text = text_of(pdf)
    assert len(pdf) == 1
    squeezed = re.sub(r"\s+", "", text)
    for expected in (
        "张小明",
        "广州市第一小学",
        "学习证书",
        "2023年寒假教师研修",
        "2022年12月2日至2023年2月28日",
        "6.00",
        paper.certificate["number"],
        paper.certificate["verification_url"],
        "2023年3月1日",
    ):
        assert expected in squeezed
    assert "Winter training for teachers, 2023" in re.sub(r"\s+", " ", text)
    assert pdf[0].get_width() > pdf[0].get_height()


def test_every_font_is_embedded(paper):
    fonts = embedded_fonts(pdfium.PdfDocument(paper.content()))
    assert fonts
    assert all(fonts.values())
    assert all("Noto" in name for name in fonts)


def test_the_qr_code_on_the_page_is_the_one_of_the_address_and_the_seal(paper, season):
    pdf = pdfium.PdfDocument(paper.content())
    bitmap = pdf[0].render(scale=8, grayscale=True)
    pixels = bytes(bitmap.buffer)
    stride = bitmap.stride
    code = segno.make(scanned(paper, season), error="m", micro=False)
    modules = [list(row) for row in code.matrix]
    left, top, width = find_code(pixels, stride, bitmap.width, bitmap.height)
    step = width / len(modules)
    for row, line in enumerate(modules):
        for column, module in enumerate(line):
            x, y = int(left + (column + 0.5) * step), int(top + (row + 0.5) * step)
            assert (pixels[y * stride + x] < 128) == bool(module), (row, column)


def scanned(paper, season):
    """What a reader gets from the QR code of a certificate."""
    with season.certs.database.work() as db:
        row = db.execute(
            sa.text("SELECT statement, seal, key_id FROM certificate WHERE certificate_id = :id"),
            {"id": paper.certificate["certificate_id"]},
        ).one()
    fragment = Seal.of(rules.read_statement(row.statement)).compose(row.seal, row.key_id)
    return f"{paper.certificate['verification_url']}#{fragment}"


def test_the_qr_code_is_checked_with_the_published_keys_alone(paper, season, tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(season.certs.call("list_certificate_keys")))
    code = scanned(paper, season)
    told = CliRunner().invoke(certificates.command, ["check", code, "--keys", str(keys), "--json"])
    assert told.exit_code == 0, told.output
    facts = json.loads(told.output)
    assert (facts["number"], facts["hours"]) == (paper.certificate["number"].replace("-", ""), "6.00")
    assert (facts["holder_masked"], facts["issued_on"]) == ("张*明", "2023-03-01")
    altered = CliRunner().invoke(
        certificates.command, ["check", "-", "--keys", str(keys)], input=code[:-90] + code[-89:]
    )
    assert (altered.exit_code, altered.stdout) == (1, "")
    keys.write_text("{}")
    assert CliRunner().invoke(certificates.command, ["check", code, "--keys", str(keys)]).exit_code == 2


def test_a_certificate_from_before_the_seals_has_the_bare_address(paper, season):
    paper.execute("UPDATE certificate SET seal = NULL WHERE certificate_id = :id")
    assert paper.content()


def find_code(pixels, stride, width, height):
    """(left, top, width) in pixels of the black square code in the lower left quarter of the page."""
    black = [
        (x, y)
        for y in range(height // 2, height * 95 // 100)
        for x in range(width * 9 // 100, width * 20 // 100)
        if pixels[y * stride + x] < 16
    ]
    left, top = min(x for x, _ in black), min(y for _, y in black)
    right = max(x for x, _ in black)
    return left, top, right - left + 1


def test_the_second_request_gets_the_kept_one(paper, monkeypatch):
    first = paper.render()
    monkeypatch.setattr(rendering, "render", lambda _paper: pytest.fail("rendered again"))
    assert paper.render() == first
    assert first["file_name"] == f"certificate-{paper.certificate['number'].replace('-', '')}.pdf"
    assert first["size"] == len(paper.content())


def test_requests_at_once_agree_on_one_document(paper, render):
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(paper.render())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 5
    assert len({reply["storage_key"] for reply in replies}) == 1
    content = paper.content()
    files = [path for path in (render.service.storage.folder / "certificates").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files].count(content) == 1
    assert hashlib.sha256(content).hexdigest() == replies[0]["sha256"]


@pytest.mark.parametrize(
    ("state", "code"), [("REVOKED", "certs.already_revoked"), ("REPLACED", "certs.already_replaced")]
)
def test_what_is_no_longer_valid_is_not_handed_out(paper, state, code):
    paper.render()
    paper.execute("UPDATE certificate SET state = :state WHERE certificate_id = :id", state=state)
    with pytest.raises(Conflict) as refused:
        paper.render()
    assert refused.value.code == code


@pytest.mark.parametrize(
    "tampering",
    [
        "hours = 60",
        "school_name = '另一所学校'",
        'statement = replace(statement, \'"hours":"6.00"\', \'"hours":"60.0"\')',
        "signature = reverse(signature)",
        "seal = reverse(seal)",
        "key_id = '00000000'",
        "holder_sealed = (SELECT max(holder_sealed) FROM certificate AS c WHERE c.number <> certificate.number)",
        "number = '2023' || substr(number, 5, 11) || '0', edition = edition + 1",
    ],
)
def test_an_altered_record_stops_the_printing(season, paper, tampering, a_person):
    season.teacher()
    season.decide()
    paper.execute(f"UPDATE certificate SET {tampering} WHERE certificate_id = :id")
    with pytest.raises(Conflict) as refused:
        paper.render()
    assert refused.value.code == "certs.record_damaged"


def test_nobody_else_gets_the_paper_not_even_her_administrator(paper, render, a_person):
    strangers = [a_person(), a_person(None, (Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s1"))]
    for stranger in strangers:
        with pytest.raises(NotFound) as refused:
            render.call("render_certificate", paper.arguments, stranger)
        assert refused.value.code == "certs.certificate_not_found"


def test_a_character_without_glyph_is_told_before_the_issue_and_followed_up(season, render, a_person, monkeypatch):
    teacher = season.teacher(name="张\U00020bb7")
    season.close()
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"]) == ("BLOCKED", ["name_not_printable"])
    assert season.certs.call("list_certificates", {}, a_person(teacher))["items"] == []
    # A release brings the glyph.
    monkeypatch.setattr(fonts, "unprintable", lambda _text: "")
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "BLOCKED"
    season.certs.service.reconsider_unprintable(None)
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_the_address_on_the_paper_is_the_contract_s(paper):
    number = paper.certificate["number"].replace("-", "")
    assert paper.certificate["verification_url"] == contract.verification_url("http://127.0.0.1:8080", number)
