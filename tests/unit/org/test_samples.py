"""The sample rosters: the same for the same edition, valid but for their ten faults, and nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest
from stdnum.cn import ric

from services.org.rules.schools import require_school_code
from services.shared.spreadsheet import read_rows
from yanxiu import samples


@pytest.fixture(scope="module")
def roster() -> samples.Roster:
    return samples.teachers(7)


def test_the_same_edition_gives_the_same_bytes() -> None:
    assert samples.teachers_xlsx(7) == samples.teachers_xlsx(7)
    assert samples.schools_xlsx(7) == samples.schools_xlsx(7)


def test_editions_do_not_meet() -> None:
    for key in ("id_no", "phone", "school_code"):
        of_one = {row[key] for row in samples.teachers(1).rows if row[key]}
        of_two = {row[key] for row in samples.teachers(2).rows if row[key]}
        assert not (of_one & of_two) - {"1390000", "2144999999"}


def test_ten_rows_have_each_a_fault_of_its_own(roster: samples.Roster) -> None:
    assert len(roster.rows) == 200
    assert len({fault.row for fault in roster.faults}) == 10
    assert len({(fault.code, fault.field) for fault in roster.faults}) == 10


def test_all_other_rows_carry_numbers_with_a_valid_check_character(roster: samples.Roster) -> None:
    faulty = {fault.row for fault in roster.faults}
    numbers = [row["id_no"] for position, row in enumerate(roster.rows) if position + 2 not in faulty]
    assert len(set(numbers)) == 190
    # An independent implementation of GB 11643-1999.
    assert all(ric.calc_check_digit(number) == number[-1] for number in numbers)
    assert all(number.startswith("440100") for number in numbers)


def test_schools_have_codes_of_the_right_form() -> None:
    rows = samples.schools(7)
    assert len({row["code"] for row in rows}) == len({row["name"] for row in rows}) == samples.SCHOOLS
    for row in rows:
        require_school_code(row["code"], row["division_code"])


def test_the_files_are_written_and_read_back(tmp_path: Path) -> None:
    schools, teachers = samples.write_samples(tmp_path / "new", 7)
    assert len(read_rows(schools.read_bytes())) == samples.SCHOOLS + 1
    assert len(read_rows(teachers.read_bytes())) == 201
