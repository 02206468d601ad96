"""Spreadsheets as strangers send them: honest ones, broken ones, and those made to do harm."""

from __future__ import annotations

import io
import resource
import sys
import threading
import time
import zipfile
from pathlib import Path

import openpyxl
import openpyxl.utils.escape
import pytest
import xlsxwriter

from services.shared.errors import InvalidInput, Unavailable
from services.shared.sheet_writer import SheetWriter
from services.shared.spreadsheet import LOST_DIGITS, Limits, open_rows, protect, read_rows, write_sheet

NOT_ONE = r"shared\.not_a_spreadsheet"
TOO_LARGE = r"shared\.spreadsheet_too_large"
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: list[object]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    for number, cells in enumerate(rows):
        sheet.write_row(number, 0, cells)
    book.close()
    return buffer.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The same archive with one part replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        new.writestr(name, content)
    return buffer.getvalue()


def sheet_of(rows: str, dimension: str = "A1") -> bytes:
    head = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return f'{head}<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'.encode()


def cells(data: bytes, limits: Limits | None = None) -> list[tuple[str, ...]]:
    return [row.cells for row in read_rows(data, limits)]


def test_cells_become_trimmed_text() -> None:
    assert cells(workbook(["姓名", "  张三 "], [1, 2.5], [True, None])) == [
        ("姓名", "张三"),
        ("1", "2.5"),
        ("TRUE", ""),
    ]


def test_rows_keep_their_own_numbers_past_empty_ones() -> None:
    rows = read_rows(workbook([], ["表头"], [], ["值"]))
    assert [(row.number, row.cells) for row in rows] == [(2, ("表头",)), (4, ("值",))]


def test_a_number_that_lost_its_digits_says_so() -> None:
    # 18 digits in a number cell: the spreadsheet program has already rounded them.
    assert cells(workbook([110105194912310021]))[0] == (LOST_DIGITS,)


def test_rare_characters_come_through_unchanged() -> None:
    name = "阿卜杜拉·𠮷𮯠"
    assert cells(workbook([name])) == [(name,)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_a_sheet_too(encoding: str) -> None:
    text = '姓名,备注\r\n张三,"a ""b"", c\r\nd"\r\n\r\n 𠮷 ,4.40524E+17\r\n'
    rows = read_rows(text.encode(encoding))
    assert [(row.number, row.cells) for row in rows] == [
        (1, ("姓名", "备注")),
        (2, ("张三", 'a "b", c\r\nd')),
        (4, ("𠮷", LOST_DIGITS)),
    ]


@pytest.mark.parametrize("text", ['"never closed,', 'a,"b"c', "x" * 5000])
def test_a_broken_csv_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{NOT_ONE}|{TOO_LARGE}"):
        read_rows(text.encode())


def test_a_file_comes_in_pieces_and_its_rows_one_by_one() -> None:
    data = workbook(*[[f"第{number}行"] for number in range(300)])
    pieces = (data[start : start + 100] for start in range(0, len(data), 100))
    with open_rows(pieces) as rows:
        assert next(rows).cells == ("第0行",)
        assert len(list(rows)) == 299


def test_a_reader_that_ends_early_is_never_taken_for_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from services.shared import spreadsheet

    dying = tmp_path / "dying.py"
    monkeypatch.setattr(spreadsheet, "READER", dying)
    for last in ("", "print('[2, [')", "print('{\"rows\": 2}')"):
        dying.write_text(f"import sys; sys.stdin.buffer.read(); print('[1, []]'); {last}")
        with pytest.raises(InvalidInput, match=TOO_LARGE):
            read_rows(b"x")


def test_cells_left_of_the_first_filled_column_count() -> None:
    assert cells(workbook(["", "b"], ["", "d"])) == [("", "b"), ("", "d")]


def test_a_formula_counts_as_its_stored_text_and_is_never_computed() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write_formula(0, 0, '=HYPERLINK("http://attacker.example","x")', None, "已存文本")
    sheet.write_formula(0, 1, "=1+1", None, 7)
    book.close()
    assert cells(buffer.getvalue()) == [("已存文本", "7")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"%PDF-1.7\n" * 100,
        "姓名,证件号码\n".encode("utf-16"),
        b"\xff\xff\xff, what no encoding of ours allows",
        b"<html><table></table></html>",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),  # an old .xls, or an encrypted workbook
        workbook(["a"])[:-40],  # cut off on the way
        with_part(workbook(["a"]), "xl/workbook.xml", b"no xml at all"),
    ],
    ids=["empty", "mark only", "pdf", "utf-16", "no text", "html", "ole", "cut", "broken part"],
)
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=NOT_ONE) as refused:
        read_rows(data)
    assert refused.value.field == "file"


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    with pytest.raises(InvalidInput, match=NOT_ONE):
        read_rows(buffer.getvalue())


def test_a_file_above_the_limit_is_not_even_opened() -> None:
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(b"PK\x03\x04" + bytes(5 << 20))


def test_a_zip_bomb_of_a_gigabyte_is_refused_without_unpacking() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(SHEET, "w", force_zip64=True) as part:
            for _ in range(1024):
                part.write(bytes(1 << 20))
    bomb = buffer.getvalue()
    assert len(bomb) < 2 << 20
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.monotonic()
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(bomb)
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before < 200 * 1024  # kilobytes


def test_a_bomb_that_lies_about_its_size_stops_at_the_memory_limit() -> None:
    data = with_part(workbook(["a"]), SHEET, sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>' + "A" * (300 << 20)))
    true_size = zipfile.ZipFile(io.BytesIO(data)).getinfo(SHEET).file_size
    lying = data.replace(true_size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != data
    with pytest.raises(InvalidInput, match=rf"{TOO_LARGE}|{NOT_ONE}"):
        read_rows(lying)


def test_many_entries_are_refused() -> None:
    buffer = io.BytesIO(workbook(["a"]))
    with zipfile.ZipFile(buffer, "a") as archive:
        for number in range(1000):
            archive.writestr(f"xl/media/{number}.png", b"")
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(buffer.getvalue())


def test_an_xml_bomb_expands_to_nothing() -> None:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "哈">{lines}]>'
    sheet = sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>&a11;</t></is></c></row>').decode().split("?>", 1)[1]
    started = time.monotonic()
    try:
        read = cells(with_part(workbook(["a"]), SHEET, (bomb + sheet).encode()))
    except InvalidInput as refusal:
        read = [(refusal.code,)]
    assert time.monotonic() - started < 5
    assert "哈" * 100 not in read[0][0]


def test_an_external_entity_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("不可外传")
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
    sheet = sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row>').decode().split("?>", 1)[1]
    try:
        read = str(cells(with_part(workbook(["a"]), SHEET, (head + sheet).encode())))
    except InvalidInput as refusal:
        read = str(refusal.args)
    assert "不可外传" not in read


@pytest.mark.parametrize("far", ["XFD1048576", "A1048576", "XFD1"])
def test_a_far_away_cell_does_not_make_a_huge_table(far: str) -> None:
    number = "".join(filter(str.isdigit, far))
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>' if number != "1" else ""
    rows += f'<row r="{number}"><c r="A{number}"><v>1</v></c><c r="{far}"><v>1</v></c></row>'
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(with_part(workbook(["a"]), SHEET, sheet_of(rows, f"A1:{far}")))


def test_a_hundred_thousand_columns_are_refused() -> None:
    row = "".join(f'<c t="inlineStr"><is><t>{number}</t></is></c>' for number in range(100_000))
    with pytest.raises(InvalidInput, match=rf"{TOO_LARGE}|{NOT_ONE}"):
        read_rows(with_part(workbook(["a"]), SHEET, sheet_of(f'<row r="1">{row}</row>')))


@pytest.mark.parametrize(
    ("limits", "rows"),
    [
        (Limits(rows=3), [["a"]] * 4),
        (Limits(columns=3), [["a"] * 4]),
        (Limits(cell_characters=3), [["abcd"]]),
        (Limits(characters=10), [["abcd"]] * 3),
    ],
)
def test_each_limit_holds(limits: Limits, rows: list[list[object]]) -> None:
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(workbook(*rows), limits)


def test_the_limits_themselves_are_allowed() -> None:
    limits = Limits(rows=3, columns=2, cell_characters=4, characters=24)
    assert len(cells(workbook(*[["abcd", "efgh"]] * 3), limits)) == 3


def test_the_reader_is_ended_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from services.shared import spreadsheet

    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr(spreadsheet, "READER", endless)
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(workbook(["a"]), Limits(seconds=1))


def test_who_takes_his_time_over_the_rows_still_gets_them_all() -> None:
    """Storing a hundred thousand rows takes longer than reading them may."""
    with open_rows([workbook(*[[f"第{number}行" * 100] for number in range(2000)])], Limits(seconds=2)) as rows:
        next(rows)
        time.sleep(2.5)
        assert len(list(rows)) == 1999


def test_a_few_readers_at_once_and_then_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from services.shared import spreadsheet

    slow = tmp_path / "slow.py"
    slow.write_text("import sys, time; sys.stdin.buffer.read(); time.sleep(1.5); print('{\"rows\": 0}')")
    monkeypatch.setattr(spreadsheet, "READER", slow)
    data, limits = workbook(["a"]), Limits(seconds=10)
    readers = [threading.Thread(target=read_rows, args=(data, limits)) for _ in range(spreadsheet.READERS_AT_ONCE)]
    for reader in readers:
        reader.start()
    time.sleep(0.3)
    with pytest.raises(Unavailable):
        read_rows(data, Limits(seconds=0))
    assert read_rows(data, limits) == []
    for reader in readers:
        reader.join()


def test_the_reader_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from services.shared import spreadsheet

    curious = tmp_path / "curious.py"
    curious.write_text("import os, json; print(json.dumps([1, sorted(os.environ)])); print('{\"rows\": 1}')")
    monkeypatch.setattr(spreadsheet, "READER", curious)
    monkeypatch.setenv("YANXIU_SECRET", "x")
    assert "YANXIU_SECRET" not in read_rows(workbook(["a"]))[0].cells


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_dangerous_start_is_defused_on_the_way_out(start: str) -> None:
    assert protect(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("text", ["", "张三", "1+1", "a=b", "440524188001010014"])
def test_harmless_text_stays(text: str) -> None:
    assert protect(text) == text


def test_what_is_written_reads_back_by_another_reader_as_text() -> None:
    buffer = io.BytesIO()
    write_sheet(buffer, ["证件号码", "备注"], [["440524188001010014", "=1+1"], ["11010519491231002X", "@SUM(A1)"]])
    sheet = openpyxl.load_workbook(io.BytesIO(buffer.getvalue())).active
    assert sheet is not None
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values == [["证件号码", "备注"], ["440524188001010014", "'=1+1"], ["11010519491231002X", "'@SUM(A1)"]]
    assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("text", ["_x0041_", "a\x07b", "两 \n 行", "<&>\"'", "𠮷𮯠·", " ", "x" * 1000, "bad\ud800"])
def test_any_text_is_written_so_that_others_read_it(text: str) -> None:
    buffer = io.BytesIO()
    write_sheet(buffer, ["列"], [[text]])
    sheet = openpyxl.load_workbook(io.BytesIO(buffer.getvalue())).active
    assert sheet is not None
    value = sheet["A2"].value
    assert openpyxl.utils.escape.unescape(value) == text.replace("\ud800", "?")


def test_pages_carry_a_margin_and_the_file_its_notes() -> None:
    buffer = io.BytesIO()
    sheet = SheetWriter(buffer.write, ["列"], margin="R&D " + "长" * 300, notes={"用途": "=核对"})
    sheet.write_row(["值"])
    sheet.close()
    book = openpyxl.load_workbook(io.BytesIO(buffer.getvalue()))
    first, second = book.worksheets
    assert first.oddHeader.left.text.startswith("R&&D 长")
    assert first.oddFooter.left.text == first.oddHeader.left.text
    assert [[cell.value for cell in row] for row in second.iter_rows()] == [["用途", "'=核对"]]


def test_writing_a_hundred_thousand_rows_takes_no_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    sheet = SheetWriter(lambda _data: None, [f"列{n}" for n in range(3)])
    for number in range(20_000):
        sheet.write_row([f"内容{number}"] * 3)
    sheet.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20


def test_five_thousand_honest_rows_are_read_in_reasonable_time() -> None:
    buffer = io.BytesIO()
    write_sheet(buffer, [f"列{n}" for n in range(12)], ([f"内容{n}"] * 12 for n in range(5000)))
    started = time.monotonic()
    assert len(read_rows(buffer.getvalue())) == 5001
    assert time.monotonic() - started < 10


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems differ")
@pytest.mark.parametrize("megabytes", [40, 44, 46, 48])  # memory runs out in the parser, in its binding, in ours
def test_memory_is_really_limited(megabytes: int) -> None:
    with pytest.raises(InvalidInput, match=TOO_LARGE):
        read_rows(workbook(*[["x" * 30] * 60] * 3000), Limits(memory_bytes=megabytes << 20))
