"""From cells to values, and every way in which a row can be wrong before anybody is asked."""

from __future__ import annotations

import pytest

from services.shared.bulk.columns import REPORT_TITLES, Column, Fault, Repetitions, read_cells, read_header
from services.shared.errors import InvalidInput
from services.shared.spreadsheet import LOST_DIGITS

COLUMNS = (
    Column("name", "姓名", longest=5),
    Column("kind", "类别", required=False, words={"小学": "PRIMARY", "初中": "MIDDLE"}),
    Column("note", "备注", required=False),
)


def test_columns_stand_in_any_order_and_optional_ones_may_be_missing() -> None:
    assert read_header(["备注", "姓名"], COLUMNS) == ["note", "name"]


def test_empty_cells_beside_the_header_are_no_columns() -> None:
    assert read_header(["姓名", "", ""], COLUMNS) == ["name"]


def test_a_report_comes_back_with_its_own_columns_passed_over() -> None:
    header = read_header(["姓名", *REPORT_TITLES], COLUMNS)
    assert header == ["name", "", "", "", ""]
    assert read_cells(["张三", "REFUSED", "x", "原因", ""], header, COLUMNS) == {"name": "张三"}


@pytest.mark.parametrize(
    ("titles", "named"),
    [(["姓名", "密码"], "密码"), (["姓名", "姓名"], "姓名"), (["备注"], "姓名"), ([], "姓名"), (["", "姓名"], "")],
)
def test_other_columns_are_refused_by_name(titles: list[str], named: str) -> None:
    with pytest.raises(InvalidInput, match=r"shared\.wrong_columns") as refused:
        read_header(titles, COLUMNS)
    assert refused.value.field == f"file.{named}"


def test_words_and_values_are_both_taken_and_empty_cells_left_out() -> None:
    header = ["name", "kind", "note"]
    assert read_cells(["张三", "小学", ""], header, COLUMNS) == {"name": "张三", "kind": "PRIMARY"}
    assert read_cells(["张三", "MIDDLE"], header, COLUMNS) == {"name": "张三", "kind": "MIDDLE"}


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["", "小学"], Fault("shared.value_missing", "name")),
        (["张三李四王五", ""], Fault("shared.value_malformed", "name")),
        (["张三", "大学"], Fault("shared.value_unknown", "kind")),
        (["张三", "", LOST_DIGITS], Fault("shared.digits_lost", "note")),
    ],
)
def test_the_first_fault_of_a_row_is_told(cells: list[str], fault: Fault) -> None:
    assert read_cells(cells, ["name", "kind", "note"], COLUMNS) == fault


def test_the_second_of_two_equal_rows_is_refused() -> None:
    repetitions = Repetitions([("kind", "id_no"), ("phone",)])
    assert repetitions.find({"kind": "A", "id_no": "11x", "phone": "1"}) is None
    assert repetitions.find({"kind": "A", "id_no": "11X", "phone": "2"}) == Fault("shared.duplicate_row", "id_no")
    assert repetitions.find({"kind": "B", "id_no": "11X", "phone": "1"}) == Fault("shared.duplicate_row", "phone")
    # A refused row is no reason to refuse the next one.
    assert repetitions.find({"kind": "B", "id_no": "11X", "phone": "3"}) is None
    assert repetitions.find({"kind": "B"}) is None
    assert repetitions.find({"kind": "B"}) is None
